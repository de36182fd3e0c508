/** Who a function's own policy lets in. Only what this program's template writes is understood. Pure. */

/** An AWS service that may invoke a function. */
export interface Permission {
  /** Such as `events.amazonaws.com`. */
  readonly service: string;
  /** ARN of the caller, with `*` and `?`; null = any. */
  readonly sourceArn: string | null;
}

/** The services that a policy allows to invoke; none for text that is no policy. */
export function permissionsIn(policy: string): readonly Permission[] {
  const statements = field(parse(policy), 'Statement');
  return (Array.isArray(statements) ? statements : []).flatMap((statement: unknown) => {
    const service = field(field(statement, 'Principal'), 'Service');
    const action = field(statement, 'Action');
    const invokes = ['lambda:InvokeFunction', 'lambda:*', '*'].includes(String(action));
    if (field(statement, 'Effect') !== 'Allow' || typeof service !== 'string' || !invokes) return [];
    return [{ service, sourceArn: sourceArnOf(field(statement, 'Condition')) }];
  });
}

/** True when a permission lets a caller of this service with this ARN in. */
export function allows(permissions: readonly Permission[], service: string, callerArn: string): boolean {
  return permissions.some(
    (one) => one.service === service && (one.sourceArn === null || matches(one.sourceArn, callerArn)),
  );
}

function sourceArnOf(condition: unknown): string | null {
  const found = ['ArnLike', 'ArnEquals', 'StringLike', 'StringEquals']
    .flatMap((operator) => ['AWS:SourceArn', 'aws:SourceArn'].map((key) => field(field(condition, operator), key)))
    .find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : null;
}

function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
