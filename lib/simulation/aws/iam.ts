/**
 * IAM's decision: may this caller do this action on this resource? Pure. Source: "Policy evaluation logic" and "IAM
 * JSON policy elements" of the IAM user guide, for callers and resources of one account.
 *
 * A policy is parsed once; whatever it uses that is not evaluated here is an error then, never a silent yes or no.
 */
import { InvalidInputError, type Problem } from '../../errors.ts';
import { isRecord } from './intrinsics.ts';

/** One statement of a policy, complete. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: Pattern;
  /** Null in a role's trust policy, which has no resource. */
  readonly resources: Pattern | null;
  /** Null in an identity policy, whose principal is the role that holds it. */
  readonly principals: readonly string[] | null;
  readonly conditions: readonly Condition[];
}

/** Matches what is listed, or (`negated`: NotAction, NotResource) everything else. */
interface Pattern {
  readonly negated: boolean;
  readonly patterns: readonly string[];
}

interface Condition {
  readonly operator: string;
  /** `…IfExists`: an absent key counts as met. */
  readonly ifExists: boolean;
  /** Lower-cased, since condition keys are not case-sensitive. */
  readonly key: string;
  readonly values: readonly string[];
}

/** What is asked. */
export interface AccessRequest {
  /** Such as `sqs:SendMessage`. */
  readonly action: string;
  readonly resource: string;
  /** Condition keys, lower-cased, with their values. */
  readonly context: Readonly<Record<string, string>>;
}

/** The answer. `implicit_deny`: no statement allows it; `explicit_deny`: a statement forbids it. */
export type Access = 'allow' | 'implicit_deny' | 'explicit_deny';

/**
 * Parses a policy document. Throws `InvalidInputError` with every element that is malformed or not supported here
 * (policy variables, condition operators outside the list below).
 */
export function parsePolicy(document: unknown, path: string): readonly Statement[] {
  const problems: Problem[] = [];
  const listed = isRecord(document) ? document.Statement : undefined;
  const statements = (Array.isArray(listed) ? listed : [listed]).map((statement, index) =>
    parseStatement(isRecord(statement) ? statement : {}, `${path}.Statement[${index}]`, problems),
  );
  if (problems.length > 0) {
    throw new InvalidInputError('IAM policy', problems);
  }
  return statements;
}

/** Decides on the statements that concern the caller. An explicit Deny wins over every Allow; the default is no. */
export function evaluate(statements: readonly Statement[], request: AccessRequest): Access {
  const matching = statements.filter((statement) => statementMatches(statement, request));
  if (matching.some((statement) => statement.effect === 'Deny')) {
    return 'explicit_deny';
  }
  return matching.some((statement) => statement.effect === 'Allow') ? 'allow' : 'implicit_deny';
}

/** The statements of a resource policy that name this principal (a role ARN, a session ARN or a service). */
export function statementsFor(statements: readonly Statement[], principals: readonly string[]): readonly Statement[] {
  return statements.filter((statement) =>
    (statement.principals ?? []).some((principal) => principal === '*' || principals.includes(principal)),
  );
}

/** IAM's wildcards: `*` for any characters, `?` for one. */
export function wildcardMatches(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}

/** As `wildcardMatches`, but part by part, so that a wildcard never swallows a colon (ArnLike, ArnEquals). */
export function arnMatches(pattern: string, arn: string): boolean {
  const [patterns, parts] = [splitArn(pattern), splitArn(arn)];
  return (
    patterns.length === ARN_PARTS &&
    parts.length === ARN_PARTS &&
    patterns.every((part, index) => wildcardMatches(part, parts[index] ?? ''))
  );
}

const ARN_PARTS = 6;

/** `arn:partition:service:region:account:resource`, where the resource may hold colons itself. */
function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  return [
    ...parts.slice(0, ARN_PARTS - 1),
    ...(parts.length >= ARN_PARTS ? [parts.slice(ARN_PARTS - 1).join(':')] : []),
  ];
}

function statementMatches(statement: Statement, request: AccessRequest): boolean {
  const action = request.action.toLowerCase();
  return (
    patternMatches(statement.actions, (pattern) => wildcardMatches(pattern.toLowerCase(), action)) &&
    (statement.resources === null ||
      patternMatches(statement.resources, (pattern) => wildcardMatches(pattern, request.resource))) &&
    statement.conditions.every((condition) => conditionMet(condition, request.context))
  );
}

function patternMatches({ negated, patterns }: Pattern, matches: (pattern: string) => boolean): boolean {
  return patterns.some(matches) !== negated;
}

type Comparison = (wanted: string, found: string) => boolean;

const OPERATORS: Readonly<Record<string, Comparison>> = {
  StringEquals: (wanted, found) => wanted === found,
  StringEqualsIgnoreCase: (wanted, found) => wanted.toLowerCase() === found.toLowerCase(),
  StringLike: wildcardMatches,
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
  Bool: (wanted, found) => wanted.toLowerCase() === found.toLowerCase(),
};
/** Met when no value compares; an absent key meets them too. */
const NEGATED_OPERATORS: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
};

function conditionMet(condition: Condition, context: AccessRequest['context']): boolean {
  const found = context[condition.key];
  const negates = NEGATED_OPERATORS[condition.operator];
  if (found === undefined) {
    return condition.ifExists || negates !== undefined;
  }
  const compare = OPERATORS[negates ?? condition.operator];
  const equal = compare !== undefined && condition.values.some((wanted) => compare(wanted, found));
  return equal !== (negates !== undefined);
}

function parseStatement(statement: Record<string, unknown>, path: string, problems: Problem[]): Statement {
  const effect = statement.Effect;
  if (effect !== 'Allow' && effect !== 'Deny') {
    problems.push({ field: `${path}.Effect`, message: `found ${JSON.stringify(effect)}, expected Allow or Deny` });
  }
  const actions = parsePattern(statement, 'Action', path, problems);
  if (actions === null) {
    problems.push({ field: `${path}.Action`, message: 'not found, expected Action or NotAction' });
  }
  if (statement.NotPrincipal !== undefined) {
    problems.push({ field: `${path}.NotPrincipal`, message: 'is not supported locally' });
  }
  return {
    effect: effect === 'Deny' ? 'Deny' : 'Allow',
    actions: actions ?? { negated: false, patterns: [] },
    resources: parsePattern(statement, 'Resource', path, problems),
    principals: parsePrincipals(statement.Principal),
    conditions: parseConditions(statement.Condition, `${path}.Condition`, problems),
  };
}

function parsePattern(
  statement: Record<string, unknown>,
  element: 'Action' | 'Resource',
  path: string,
  problems: Problem[],
): Pattern | null {
  const negated = statement[`Not${element}`] !== undefined;
  const patterns = list(negated ? statement[`Not${element}`] : statement[element]);
  for (const pattern of patterns.filter((text) => text.includes('${'))) {
    problems.push({
      field: `${path}.${element}`,
      message: `found the policy variable ${pattern}, not supported locally`,
    });
  }
  return patterns.length === 0 ? null : { negated, patterns };
}

function parsePrincipals(principal: unknown): readonly string[] | null {
  if (principal === undefined) {
    return null;
  }
  return isRecord(principal) ? Object.values(principal).flatMap(list) : list(principal);
}

function parseConditions(block: unknown, path: string, problems: Problem[]): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const [written, keys] of Object.entries(isRecord(block) ? block : {})) {
    const ifExists = written.endsWith('IfExists');
    const operator = ifExists ? written.slice(0, -'IfExists'.length) : written;
    if (!(operator in OPERATORS || operator in NEGATED_OPERATORS)) {
      const known = [...Object.keys(OPERATORS), ...Object.keys(NEGATED_OPERATORS)].join(', ');
      problems.push({ field: path, message: `found operator ${written}, expected one of ${known}` });
    }
    for (const [key, values] of Object.entries(isRecord(keys) ? keys : {})) {
      conditions.push({ operator, ifExists, key: key.toLowerCase(), values: list(values) });
    }
  }
  return conditions;
}

function list(value: unknown): string[] {
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
}
