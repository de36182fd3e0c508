import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../lib/telemetry/logger.ts';
import { createRedactor, REDACTED } from '../../lib/telemetry/redaction.ts';

const TOKEN = 'abcDEF0123456789~_-.token';

/** The lines that a logger writes with this redactor. */
function linesOf(secrets: readonly string[], log: (logger: ReturnType<typeof createLogger>) => void): string {
  const redactor = createRedactor();
  for (const secret of secrets) redactor.register(secret);
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  log(createLogger({ level: 'debug', write, clock: { nowMs: () => 0 }, redactor }));
  return lines.join('\n');
}

/** Every text within a parsed line, decoded as often as it is JSON: what a reader of the log could get at. */
function textsWithin(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    try {
      const inner: unknown = JSON.parse(value);
      return typeof inner === 'number' ? [value] : [value, ...textsWithin(inner)];
    } catch {
      return [value];
    }
  }
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsWithin(item)]);
}

describe('a registered secret', () => {
  /** Quotes, backslashes, umlauts and all; long enough that no innocent text contains it by chance. */
  const secret = fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9]{12}$/), fc.string({ unit: 'grapheme', maxLength: 12 }))
    .map(([start, end]) => `${start}${end}x`);
  const wrapped = (value: string) =>
    fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
      leaf: fc.constantFrom<unknown>(
        value,
        `before ${value} after`,
        JSON.stringify({ message: value }),
        JSON.stringify({ Message: JSON.stringify({ inner: [value] }) }),
        new Error(`failed with ${value}`, { cause: new TypeError(value) }),
        new Map([[value, value]]),
        new Set([value]),
        Object.assign(new Error('x'), { request: { url: `https://h/?t=${encodeURIComponent(value)}` } }),
        { [value]: 1 },
        `auth ${Buffer.from(value).toString('base64')}`,
      ),
      tree: fc.oneof(
        { maxDepth: 4 },
        tie('leaf'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('tree'), { maxKeys: 3 }),
      ),
    })).tree;

  it('appears in no line, however deep and in whatever form', () => {
    const cases = secret.chain((value) => fc.tuple(fc.constant(value), wrapped(value), fc.boolean()));
    fc.assert(
      fc.property(cases, ([value, tree, inMessage]) => {
        const lines = linesOf([value], (logger) => {
          logger.child({ tree }).info(inMessage ? `message ${value}` : 'message', { tree, again: [tree] });
        });
        expect(lines).not.toContain(value);
        expect(lines).not.toContain(encodeURIComponent(value));
        expect(lines).not.toContain(Buffer.from(value).toString('base64').replace(/=+$/, ''));
        for (const line of lines.split('\n')) {
          for (const text of textsWithin(JSON.parse(line))) expect(text).not.toContain(value);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is hidden as a number, and does not survive being cut in half', () => {
    const lines = linesOf(['1234567890123', TOKEN], (logger) => {
      logger.info('x', { id: 1234567890123, big: 91234567890123n, long: `${'y'.repeat(16 * 1024 - 5)}${TOKEN}` });
    });
    expect(lines).not.toContain('1234567890123');
    expect(lines).not.toContain(TOKEN.slice(0, 5));
  });

  it('is hidden with white space around it, together with a second one', () => {
    const lines = linesOf([` ${TOKEN}\n`, `${TOKEN}-old`], (logger) => logger.info(`${TOKEN} and ${TOKEN}-old`));
    expect(JSON.parse(lines)).toMatchObject({ message: `${REDACTED} and ${REDACTED}` });
  });

  it('is ignored when it is too short to be one, or is the mark itself', () => {
    const lines = linesOf(['', 'info', 'redacted'], (logger) => logger.info(`information ${REDACTED}`));
    expect(JSON.parse(lines)).toMatchObject({ level: 'info', message: `information ${REDACTED}` });
  });
});

describe('an unregistered secret', () => {
  it.each([
    [`Bearer ${TOKEN}`, 'Bearer [redacted]'],
    [`authorization: Bearer ${TOKEN}`, 'authorization: [redacted]'],
    [`GET /x\r\nAuthorization: ${TOKEN}\r\nHost: h`, 'GET /x\r\nAuthorization: [redacted]\r\nHost: h'],
    ['Basic dXNlcjpwYXNzd29yZA==', 'Basic [redacted]'],
    ['GET /stacks?access_token=abc123&page=2', 'GET /stacks?access_token=[redacted]&page=2'],
    ['CLOUD66_TOKEN=abc123 npm start', 'CLOUD66_TOKEN=[redacted] npm start'],
    ['{"refresh_token":"abc123","page":2}', '{"refresh_token":"[redacted]","page":2}'],
    ['{\\"token\\":\\"abc123\\"}', '{\\"token\\":\\"[redacted]\\"}'],
    ["{ apiKey: 'abc123', page: 2 }", "{ apiKey: '[redacted]', page: 2 }"],
    ['https://me:abc123@host/x', 'https://[redacted]@host/x'],
    ['x-amz-security-token: IQoJb3JpZ2luX2VjE', 'x-amz-security-token: [redacted]'],
  ])('in the text %j is hidden', (text, shown) => {
    expect(createRedactor().text(text)).toBe(shown);
  });

  it.each([
    'CLOUD66_TOKEN: found nothing; expected a token',
    'CLOUD66_TOKEN_PARAMETER: no parameter of this name',
    'arn:aws:sqs:us-east-1:123456789012:mail.fifo',
    'https://app.cloud66.com/api/3/stacks/5999b763474b0eafa5fafb64bff0ba80/processes.json?page=1',
    'the next look is at 12:30:45',
  ])('is not seen where there is none: %s', (text) => {
    expect(createRedactor().text(text)).toBe(text);
  });

  it.each([
    'authorization',
    'Authorization',
    'Set-Cookie',
    'token',
    'accessToken',
    'X-Amz-Security-Token',
    'client_secret',
    'SecretAccessKey',
    'password',
    'apiKey',
    'x-api-key',
    'credentials',
    'privateKey',
  ])('behind the key %s is hidden, whatever it is', (key) => {
    for (const value of ['abc', 12, ['abc'], { inner: 'abc' }]) {
      const line = linesOf([], (logger) => logger.info('x', { headers: { [key]: value } }));
      expect(JSON.parse(line)).toMatchObject({ headers: { [key]: REDACTED } });
    }
    const line = linesOf([], (logger) => logger.info('x', { [key]: null, headers: { [key]: true } }));
    expect(JSON.parse(line)).toMatchObject({ [key]: null, headers: { [key]: true } });
  });

  it.each(['targetId', 'tokenParameter', 'decisionId', 'visible', 'signed', 'author'])(
    'is not seen behind the key %s',
    (key) => {
      expect(createRedactor().hidesKey(key)).toBe(false);
    },
  );
});
