/**
 * Finds decision records in whatever people copy them from: the function's log lines as they are, behind the prefix of
 * `aws logs tail` or of an export to S3, and as messages in the JSON of `filter-log-events`, of Logs Insights and of a
 * subscription. Pure.
 */

/** A logged decision: what was decided on, and what was decided. */
export interface DecisionRecord {
  /** Where it was found: the line of the text, from 1; the first line of a text that is one JSON document. */
  readonly line: number;
  readonly targetId: string;
  readonly decisionId: string;
  readonly input: unknown;
  /** Null when the pass failed before it decided. */
  readonly decision: unknown;
}

/** What a text holds. */
export interface DecisionLog {
  readonly records: readonly DecisionRecord[];
  /** Lines that hold a decision and are cut off: they cannot be decided again. */
  readonly cut: readonly number[];
  /** Lines with something else. */
  readonly others: number;
}

/** Exports nest twice: a list of events, and a JSON line in each. */
const MAX_DEPTH = 6;

/** Reads all decision records of a text. */
export function parseDecisionLog(text: string): DecisionLog {
  const whole = parseJson(text.trim());
  if (whole !== undefined) return logOf([{ line: 1, found: found(whole, 0) }]);
  const lines = text.split('\n').map((content, index) => ({ line: index + 1, content: content.trim() }));
  return logOf(lines.flatMap(({ line, content }) => (content === '' ? [] : [{ line, found: inLine(content) }])));
}

/** A decision record as it was logged, or the mark of a cut one. */
type Found = { readonly kind: 'record'; readonly fields: Readonly<Record<string, unknown>> } | { readonly kind: 'cut' };

function logOf(lines: readonly { readonly line: number; readonly found: readonly Found[] }[]): DecisionLog {
  const records = lines.flatMap(({ line, found: all }) =>
    all.flatMap((one) => (one.kind === 'record' ? [recordOf(line, one.fields)] : [])),
  );
  const cut = lines.flatMap(({ line, found: all }) => (all.some(({ kind }) => kind === 'cut') ? [line] : []));
  return { records, cut, others: lines.filter(({ found: all }) => all.length === 0).length };
}

function recordOf(line: number, fields: Readonly<Record<string, unknown>>): DecisionRecord {
  const { targetId, decisionId, input, decision } = fields;
  return { line, targetId: String(targetId), decisionId: String(decisionId), input, decision: decision ?? null };
}

/** The JSON of a line, which may stand behind a time and the name of a log stream. */
function inLine(content: string): readonly Found[] {
  const start = content.indexOf('{"');
  const value = start < 0 ? undefined : parseJson(content.slice(start));
  if (value !== undefined) return found(value, 0);
  // CloudWatch Logs cuts events at 256 kB, copying cuts them anywhere.
  return content.includes('"event":"decision"') ? [{ kind: 'cut' }] : [];
}

function found(value: unknown, depth: number): readonly Found[] {
  if (depth > MAX_DEPTH || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => found(item, depth + 1));
  const fields: Readonly<Record<string, unknown>> = { ...value };
  if (fields.truncated === true) return String(fields.start).includes('"event":"decision"') ? [{ kind: 'cut' }] : [];
  if (fields.event === 'decision') return [{ kind: 'record', fields }];
  return Object.values(fields).flatMap((item) =>
    typeof item === 'string' ? inText(item, depth + 1) : found(item, depth + 1),
  );
}

/** A text within JSON that may be a log line; most are not. */
function inText(text: string, depth: number): readonly Found[] {
  const line = text.trim();
  const value = line.startsWith('{') ? parseJson(line) : undefined;
  return value === undefined ? [] : found(value, depth);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
