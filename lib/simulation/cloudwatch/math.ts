/**
 * Computes metric math over series of points: arithmetic, comparisons, FILL, IF, MAX, MIN, SUM, AVG, ABS, CEIL, FLOOR,
 * PERIOD and METRICS. Other functions are refused by name.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
import { invalid } from './faults.ts';
import type { Expression } from './math-syntax.ts';

/** Values by the start of their period, oldest first. */
export type Series = ReadonlyMap<number, number>;

type Value =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'series'; readonly series: Series }
  | { readonly kind: 'array'; readonly items: readonly Series[] };

/** What an expression may refer to. */
export interface MathScope {
  /** Starts of all periods of the query, oldest first: where FILL can fill. */
  readonly timeline: readonly number[];
  readonly periodSeconds: number;
  /** Series of another query by its id; throws for an id that does not exist. */
  readonly series: (id: string) => Series;
  /** Ids of the queries that are metrics. */
  readonly metricIds: readonly string[];
}

/**
 * The series that an expression gives.
 * @throws CloudWatchFault when the result is not one time series, or a name or function is unknown.
 */
export function computeSeries(expression: Expression, scope: MathScope): Series {
  const value = compute(expression, scope);
  if (value.kind === 'series') return value.series;
  const only = value.kind === 'array' && value.items.length === 1 ? value.items[0] : undefined;
  if (only) return only;
  throw invalid(`Error in expression: the result is ${nameOf(value)}, expected one time series`);
}

const nameOf = (value: Value): string => (value.kind === 'scalar' ? 'a number' : 'several time series');
const scalar = (value: number): Value => ({ kind: 'scalar', value });

function compute(expression: Expression, scope: MathScope): Value {
  switch (expression.kind) {
    case 'number':
      return scalar(expression.value);
    case 'name':
      return { kind: 'series', series: scope.series(expression.name) };
    case 'array':
      return { kind: 'array', items: expression.items.flatMap((item) => seriesIn(compute(item, scope), scope)) };
    case 'binary':
      return combine(expression.operator, compute(expression.left, scope), compute(expression.right, scope));
    case 'call':
      return call(expression.name, expression.args, scope);
    case 'text':
      throw invalid(`Error in expression: "${expression.value}" can only stand in METRICS("…")`);
  }
}

function seriesIn(value: Value, scope: MathScope): readonly Series[] {
  if (value.kind === 'array') return value.items;
  if (value.kind === 'series') return [value.series];
  return [new Map(scope.timeline.map((atMs) => [atMs, value.value]))];
}

const truth = (condition: boolean): number => (condition ? 1 : 0);
const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '<=': (a, b) => truth(a <= b),
  '>': (a, b) => truth(a > b),
  '>=': (a, b) => truth(a >= b),
  AND: (a, b) => truth(a !== 0 && b !== 0),
  '&&': (a, b) => truth(a !== 0 && b !== 0),
  OR: (a, b) => truth(a !== 0 || b !== 0),
  '||': (a, b) => truth(a !== 0 || b !== 0),
};

function combine(operator: string, left: Value, right: Value): Value {
  const operate = OPERATORS[operator];
  if (!operate) throw invalid(`Error in expression: unknown operator '${operator}'`);
  if (left.kind === 'scalar' && right.kind === 'scalar') return scalar(operate(left.value, right.value));
  if (left.kind !== 'array' && right.kind !== 'array') return { kind: 'series', series: zip(operate, left, right) };
  const leftItems = itemsOf(left);
  const rightItems = itemsOf(right);
  const length = Math.max(leftItems.length, rightItems.length);
  if (left.kind === 'array' && right.kind === 'array' && leftItems.length !== rightItems.length) {
    throw invalid(`Error in expression: '${operator}' between arrays of ${leftItems.length} and ${rightItems.length}`);
  }
  const items = Array.from({ length }, (_, index) => {
    const a = leftItems[left.kind === 'array' ? index : 0];
    const b = rightItems[right.kind === 'array' ? index : 0];
    return a && b ? zip(operate, a, b) : new Map<number, number>();
  });
  return { kind: 'array', items };
}

type Operand = Exclude<Value, { kind: 'array' }>;

function itemsOf(value: Value): readonly Operand[] {
  return value.kind === 'array' ? value.items.map((series) => ({ kind: 'series', series })) : [value];
}

/**
 * Point by point. Where only one of two series has a value, the other counts as zero (AWS: "Missing values in a time
 * series are treated as 0"); where none has, there is no point; a division by zero drops the point.
 */
function zip(operate: (a: number, b: number) => number, left: Operand, right: Operand): Series {
  const at = (value: Operand, atMs: number): number =>
    value.kind === 'scalar' ? value.value : (value.series.get(atMs) ?? 0);
  const times = timesOf([left, right].flatMap((value) => (value.kind === 'series' ? [value.series] : [])));
  return finite(times.map((atMs) => [atMs, operate(at(left, atMs), at(right, atMs))]));
}

function timesOf(list: readonly Series[]): readonly number[] {
  const [only] = list;
  if (only && list.length === 1) return [...only.keys()];
  return [...new Set(list.flatMap((series) => [...series.keys()]))].sort((a, b) => a - b);
}

function finite(entries: readonly (readonly [number, number])[]): Series {
  return new Map(entries.filter(([, value]) => Number.isFinite(value)));
}

/** Folds of the values at one moment (of several series), or of all points (of one series). */
const FOLDS: Readonly<Record<string, (values: readonly number[], seriesCount: number) => number>> = {
  MAX: (values) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  MIN: (values) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  SUM: (values) => values.reduce((a, b) => a + b, 0),
  // Missing values count as zero, hence the division by the number of series.
  AVG: (values, seriesCount) => values.reduce((a, b) => a + b, 0) / seriesCount,
};
const EACH: Readonly<Record<string, (value: number) => number>> = { ABS: Math.abs, CEIL: Math.ceil, FLOOR: Math.floor };

function call(name: string, args: readonly Expression[], scope: MathScope): Value {
  if (name === 'METRICS') return { kind: 'array', items: metrics(args, scope) };
  if (name === 'FILL') return fill(args, scope);
  const values = args.map((arg) => compute(arg, scope));
  const [first] = values;
  if (name === 'IF') return choose(values, scope);
  if (!first || values.length !== 1)
    throw invalid(`Error in expression: ${name} takes one argument, found ${args.length}`);
  if (name === 'PERIOD') return scalar(scope.periodSeconds);
  const fold = FOLDS[name];
  if (fold) return foldValue(fold, first);
  const each = EACH[name];
  if (each) return mapValue(first, (series) => finite([...series].map(([atMs, value]) => [atMs, each(value)])), each);
  throw invalid(`Error in expression: the function ${name} is not emulated by this local CloudWatch`);
}

function foldValue(fold: (values: readonly number[], seriesCount: number) => number, value: Value): Value {
  if (value.kind === 'scalar') return value;
  if (value.kind === 'series') {
    const values = [...value.series.values()];
    return scalar(fold(values, values.length));
  }
  const { items } = value;
  const at = (atMs: number): readonly number[] => items.flatMap((series) => series.get(atMs) ?? []);
  return { kind: 'series', series: finite(timesOf(items).map((atMs) => [atMs, fold(at(atMs), items.length)])) };
}

function mapValue(value: Value, change: (series: Series) => Series, changeScalar: (value: number) => number): Value {
  if (value.kind === 'scalar') return scalar(changeScalar(value.value));
  if (value.kind === 'series') return { kind: 'series', series: change(value.series) };
  return { kind: 'array', items: value.items.map(change) };
}

function metrics(args: readonly Expression[], scope: MathScope): readonly Series[] {
  const [filter] = args;
  if (filter && filter.kind !== 'text') throw invalid('Error in expression: METRICS takes a text in quotes or nothing');
  return scope.metricIds.filter((id) => !filter || id.includes(filter.value)).map((id) => scope.series(id));
}

/**
 * FILL(series, number | series | REPEAT). In an alarm it also fills the newest minute when that is published late, as
 * the AWS page warns.
 */
function fill(args: readonly Expression[], scope: MathScope): Value {
  const [target, filler] = args;
  if (!target || !filler || args.length !== 2) throw invalid('Error in expression: FILL takes a metric and a filler');
  const repeat = filler.kind === 'name' && filler.name === 'REPEAT';
  if (filler.kind === 'name' && filler.name === 'LINEAR')
    throw invalid('Error in expression: FILL(…, LINEAR) is not emulated');
  const value = repeat ? null : compute(filler, scope);
  if (value?.kind === 'array') throw invalid('Error in expression: FILL cannot fill with several time series');
  const fillerAt = (atMs: number, last: number | undefined): number | undefined => {
    if (!value) return last;
    return value.kind === 'scalar' ? value.value : value.series.get(atMs);
  };
  const fillOne = (series: Series): Series => {
    const filled = new Map<number, number>();
    let last: number | undefined;
    for (const atMs of scope.timeline) {
      last = series.get(atMs) ?? fillerAt(atMs, last);
      if (last !== undefined) filled.set(atMs, last);
    }
    return filled;
  };
  return mapValue(compute(target, scope), fillOne, (number) => number);
}

/** IF(condition, then, otherwise): points exist where the condition has one and the chosen side has one. */
function choose(values: readonly Value[], scope: MathScope): Value {
  const [condition, then, otherwise] = values;
  if (!condition || !then || values.length > 3) throw invalid('Error in expression: IF takes two or three arguments');
  const sides = [condition, then, ...(otherwise ? [otherwise] : [])];
  if (sides.some((side) => side.kind === 'array')) throw invalid('Error in expression: IF over several time series');
  const at = (value: Value | undefined, atMs: number): number | undefined => {
    if (value?.kind === 'series') return value.series.get(atMs);
    return value?.kind === 'scalar' ? value.value : undefined;
  };
  const times = condition.kind === 'series' ? [...condition.series.keys()] : scope.timeline;
  const chosen = times.flatMap((atMs): [number, number][] => {
    const value = at(at(condition, atMs) === 0 ? otherwise : then, atMs);
    return value === undefined ? [] : [[atMs, value]];
  });
  return { kind: 'series', series: new Map(chosen) };
}
