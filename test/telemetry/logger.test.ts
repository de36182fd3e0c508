import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../lib/errors.ts';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../../lib/telemetry/logger.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';

interface Line {
  readonly [key: string]: unknown;
}

/** A logger and the lines it has written. */
function logged(level: LogLevel = 'debug', context = {}): { logger: Logger; lines: () => Line[]; raw: string[] } {
  const raw: string[] = [];
  const write = (line: string) => raw.push(line);
  const clock = { nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) };
  const logger = createLogger({ level, write, clock, redactor: createRedactor(), context });
  return { logger, raw, lines: () => raw.map((line) => JSON.parse(line) as Line) };
}

/** How a value stands in a line. */
function shown(value: unknown): unknown {
  const { logger, lines } = logged();
  logger.info('x', { value });
  return lines()[0]?.value;
}

describe('a log line', () => {
  it('is one line of JSON with time, level, message, context and fields', () => {
    const { logger, raw } = logged('info', { service: 'scaler' });
    logger.child({ requestId: 'r1' }).warn('a message\nof two lines', { targetId: 'mailer' });
    expect(raw).toEqual([
      '{"timestamp":"2026-01-02T03:04:05.006Z","level":"warn","message":"a message\\nof two lines","service":"scaler","requestId":"r1","targetId":"mailer"}',
    ]);
  });

  it.each(LOG_LEVELS)('is written from the level %s up', (level) => {
    const { logger, lines } = logged(level);
    for (const at of LOG_LEVELS) logger[at](at);
    expect(lines().map(({ level: at }) => at)).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
  });

  it('keeps its own time, level and message whatever the fields are called', () => {
    const { logger, lines } = logged();
    logger.error('mine', { level: 'debug', message: 'theirs', timestamp: 0, other: 1 });
    expect(lines()).toMatchObject([{ level: 'error', message: 'mine', other: 1, timestamp: expect.any(String) }]);
  });

  it('lets a child replace a field of its parent without changing the parent', () => {
    const { logger, lines } = logged('debug', { a: 1 });
    logger.child({ a: 2 }).info('child', { a: 3 });
    logger.info('parent');
    expect(lines().map(({ a }) => a)).toEqual([3, 1]);
  });
});

describe('an error in a log line', () => {
  it('shows name, message, stack, its causes and what it carries', () => {
    const problems = [{ field: 'MAX_WORKERS', message: 'found "x"; expected a number' }];
    const cause = Object.assign(new TypeError('inner', { cause: 'a text' }), { code: 'ECONNRESET' });
    const error = Object.assign(new InvalidInputError('settings', problems), { cause });
    expect(shown(error)).toMatchObject({
      name: 'InvalidInputError',
      message: expect.stringContaining('1 problem'),
      stack: expect.stringContaining('logger.test.ts'),
      problems,
      cause: { name: 'TypeError', message: 'inner', code: 'ECONNRESET', cause: 'a text' },
    });
  });

  it('shows all errors of an aggregate, and stops in a circle of causes', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    expect(shown(new AggregateError([first], 'both'))).toMatchObject({
      errors: [{ message: 'first', cause: { message: 'second', cause: '[circular]' } }],
    });
  });

  it('stops in an endless chain of causes', () => {
    let error = new Error('innermost');
    for (let depth = 0; depth < 100; depth += 1) error = new Error(`level ${depth}`, { cause: error });
    const text = JSON.stringify(shown(error));
    expect(text).toContain('[too deep]');
    expect(text).not.toContain('innermost');
  });
});

describe('odd values in a log line', () => {
  it.each([
    ['an empty place', [undefined, null], [null, null]],
    ['a field without a value', { a: undefined, b: () => 1 }, {}],
    ['numbers that JSON does not know', [Number.NaN, -1 / 0, 12n], ['NaN', '-Infinity', '12']],
    ['a function and a symbol', [() => 1, Symbol('x')], ['[function]', '[symbol]']],
    ['a time and an address', [new Date(0), new URL('http://h/p')], ['1970-01-01T00:00:00.000Z', 'http://h/p']],
    ['an invalid time', new Date(Number.NaN), 'null'],
    ['a map and a set', [new Map([['a', 1]]), new Set([2])], [{ a: 1 }, [2]]],
    ['bytes', new Uint8Array(5), '[5 bytes]'],
    ['a key that is special to JavaScript', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ])('%s', (_name, value, expected) => {
    expect(shown(value)).toEqual(expected);
  });

  it('a circle, and the same object twice', () => {
    const node: Record<string, unknown> = { name: 'n' };
    node.self = node;
    expect(shown(node)).toEqual({ name: 'n', self: '[circular]' });
    const twice = { a: 1 };
    expect(shown([twice, twice])).toEqual([twice, twice]);
  });

  it('a getter that throws spoils only its own object', () => {
    const spoilt = Object.defineProperty({}, 'x', {
      enumerable: true,
      get() {
        throw new Error('no');
      },
    });
    expect(shown({ spoilt, fine: 1 })).toEqual({ spoilt: '[unreadable]', fine: 1 });
  });

  it('too many entries and too long texts are cut, and say so', () => {
    const many = shown(Array.from({ length: 3000 }, () => 1)) as unknown[];
    expect([many.length, many.at(-1)]).toEqual([2001, '[1000 more]']);
    const wide = shown(Object.fromEntries(Array.from({ length: 2001 }, (_, index) => [`k${index}`, 1])));
    expect(wide).toMatchObject({ '…': '[1 more]' });
    expect(shown('x'.repeat(20_000))).toMatch(/x… \[3616 more characters\]$/);
    const wider = Array.from({ length: 100 }, () => Array.from({ length: 1000 }, () => 1));
    expect(JSON.stringify(shown(wider))).toContain('[too much]');
  });

  it('never make it throw or write more than one line of at most 200 kB', () => {
    const values = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(values, fc.string(), (value, message) => {
        const { logger, raw } = logged('debug', { context: value });
        logger.info(message, { value });
        expect(raw).toHaveLength(1);
        expect(raw[0]).not.toContain('\n');
        expect(JSON.parse(raw[0] ?? '')).toMatchObject({ level: 'info' });
      }),
    );
  });

  it.each([
    ['fields', {}, { big: Array.from({ length: 100 }, () => '\u20ac"'.repeat(2000)) }],
    ['context', { big: Array.from({ length: 100 }, () => 'y'.repeat(4000)) }, {}],
    ['both', { a: Array(50).fill('"'.repeat(9000)) }, { b: Array(50).fill('\u20ac'.repeat(9000)) }],
  ])('with huge %s are cut to one valid line that says so', (_name, context, fields) => {
    const { logger, raw, lines } = logged('debug', context);
    logger.info('big', fields);
    expect(Buffer.byteLength(raw[0] ?? '')).toBeLessThanOrEqual(200 * 1024);
    expect(lines()[0]).toMatchObject({ message: 'big', truncated: true, originalBytes: expect.any(Number) });
  });
});
