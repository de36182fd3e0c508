import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InvokeOutcome } from '../../../lib/simulation/aws/lambda.ts';
import { functionResources, liveFaster, type SmallFunction, startStack, until } from './small-stack.ts';
import { zipOf } from './zip-writer.ts';

function errorOf(outcome: InvokeOutcome): { errorType: string; errorMessage: string } {
  return outcome.kind === 'failed' ? outcome.payload : { errorType: 'none', errorMessage: outcome.kind };
}

async function startFunction(code: string, properties: object = {}, options: Parameters<typeof startStack>[1] = {}) {
  return startStack(functionResources({ Work: { code, properties } satisfies SmallFunction }), options);
}

describe('a function', () => {
  it('gets event, context and environment as Lambda gives them, and nothing of this process', async () => {
    const code = `export const handler = async (event, context) => ({
      event, name: context.functionName, arn: context.invokedFunctionArn, memory: context.memoryLimitInMB,
      remaining: context.getRemainingTimeInMillis(), id: context.awsRequestId, keys: Object.keys(process.env),
      own: process.env.OWN, extra: process.env.EXTRA, node: process.version, endpoint: process.env.AWS_ENDPOINT_URL,
    });`;
    const cloud = await startFunction(
      code,
      { MemorySize: 256, Timeout: 9, Environment: { Variables: { OWN: 5, EXTRA: 'template' } } },
      { extraEnvironment: { EXTRA: 'run' } },
    );
    const outcome = await cloud.invoke('Work', { hello: 1 });
    expect(outcome).toMatchObject({
      kind: 'succeeded',
      payload: {
        event: { hello: 1 },
        name: 'Work',
        arn: 'arn:aws:lambda:us-east-1:000000000000:function:Work',
        memory: '256',
        own: '5',
        extra: 'run',
        node: process.version,
        endpoint: cloud.endpoint,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    const { remaining, keys } = (outcome.kind === 'succeeded' ? outcome.payload : {}) as {
      remaining: number;
      keys: string[];
    };
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(9000);
    expect(keys.filter((key) => /^(npm|VITEST|USER)/.test(key))).toEqual([]);
  });

  it('is loaded from the zip file that the template names, and kept warm between invocations', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
    const bundle = 'let count = 0; export const handler = async () => ++count;';
    await writeFile(join(folder, 'work.zip'), zipOf({ 'functions/work.mjs': bundle, 'functions/other.txt': 'x' }));
    const resources = functionResources({
      Work: {
        code: '-',
        properties: { Code: { S3Bucket: 'b', S3Key: 'a/work.zip' }, Handler: 'functions/work.handler' },
      },
    });
    const running = await startStack(resources, { artifactsFolder: folder });
    expect(await running.invoke('Work', {})).toEqual({ kind: 'succeeded', payload: 1 });
    expect(await running.invoke('Work', {})).toEqual({ kind: 'succeeded', payload: 2 });
    await rm(folder, { recursive: true });
  });

  it('answers with the error that it threw, and runs the next event in the same process', async () => {
    const code = `let runs = 0; export const handler = async (event) => {
      runs += 1; if (event.fail) throw new RangeError('too far'); return runs; };`;
    const cloud = await startFunction(code);
    const failed = await cloud.invoke('Work', { fail: true });
    expect(errorOf(failed)).toMatchObject({ errorType: 'RangeError', errorMessage: 'too far' });
    expect(await cloud.invoke('Work', {})).toEqual({ kind: 'succeeded', payload: 2 });
  });

  it.each([
    ['a syntax error', 'export const handler = ;', 'SyntaxError', /Unexpected token/],
    ['an error while loading', 'throw new Error("no settings"); ', 'Error', /no settings/],
    ['no such handler', 'export const other = 1;', 'Runtime.HandlerNotFound', /index.handler is undefined/],
    ['a callback', 'export const handler = (e, c, done) => done();', 'Runtime.CallbackHandlerDeprecated', /callback/],
  ])('fails when it cannot be loaded: %s', async (_name, code, errorType, message) => {
    const cloud = await startFunction(code);
    const error = errorOf(await cloud.invoke('Work', {}));
    expect(error.errorType).toBe(errorType);
    expect(error.errorMessage).toMatch(message);
  });

  it.each([
    ['exits', 'process.exit(3)', 'Runtime.ExitError', /exit status 3/],
    [
      'leaves a rejection unhandled',
      'Promise.reject(new Error("lost")); await new Promise(() => setTimeout(() => {}, 9999))',
      'Runtime.UnhandledPromiseRejection',
      /lost/,
    ],
  ])('fails when it %s, and gets a fresh process for the next event', async (_name, statement, errorType, message) => {
    const code = `let runs = 0; export const handler = async (event) => { runs += 1; if (event.fail) { ${statement}; } return runs; };`;
    const cloud = await startFunction(code);
    expect(await cloud.invoke('Work', {})).toEqual({ kind: 'succeeded', payload: 1 });
    const error = errorOf(await cloud.invoke('Work', { fail: true }));
    expect(error.errorType).toBe(errorType);
    expect(error.errorMessage).toMatch(message);
    expect(await cloud.invoke('Work', {})).toEqual({ kind: 'succeeded', payload: 1 });
  });

  it('is ended at its timeout, counted on the scaled clock, and gets a fresh process afterwards', async () => {
    liveFaster(50);
    const code = `export const handler = async (event) => {
      if (event.hang) { for (;;) {} } return 'fine'; };`;
    const cloud = await startFunction(code, { Timeout: 20 });
    const startedAtMs = Date.now();
    const error = errorOf(await cloud.invoke('Work', { hang: true }));
    expect(error.errorMessage).toMatch(/Task timed out after 20\.00 seconds/);
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(19_000);
    expect(await cloud.invoke('Work', {})).toEqual({ kind: 'succeeded', payload: 'fine' });
  });

  it('is throttled beyond its reserved concurrency', async () => {
    const code = 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 300, "done"));';
    const cloud = await startFunction(code, { ReservedConcurrentExecutions: 2 });
    const outcomes = await Promise.all([1, 2, 3].map(() => cloud.invoke('Work', {})));
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['succeeded', 'succeeded', 'throttled']);
    expect((await cloud.invoke('Work', {})).kind).toBe('succeeded');
  });

  it('hands on its lines as they were printed', async () => {
    const lines: string[] = [];
    const code =
      'export const handler = async () => { console.log(\'{"a":1}\'); process.stderr.write("careful\\n"); };';
    const cloud = await startFunction(code, {}, { onLog: ({ name, line }) => lines.push(`${name}: ${line}`) });
    await cloud.invoke('Work', {});
    await until(() => lines.length >= 2);
    expect(lines.toSorted()).toEqual(['Work: careful', 'Work: {"a":1}']);
  });

  it('is refused at the start when Lambda would refuse its environment', async () => {
    const variables = { AWS_REGION: 'mars', LONG: 'x'.repeat(5000) };
    await expect(startFunction('-', { Environment: { Variables: variables } })).rejects.toThrow(
      /AWS_REGION: is reserved by Lambda[\s\S]*found 5018 bytes, expected at most 4096/,
    );
  });
});

describe('closing', () => {
  it('ends what runs, leaves no unpacked code behind, and may be asked for twice', async () => {
    const code = `export const handler = (event) =>
      event.hang ? new Promise(() => setInterval(() => {}, 1000)) : { folder: process.env.LAMBDA_TASK_ROOT, pid: process.pid };`;
    const cloud = await startFunction(code);
    const outcome = await cloud.invoke('Work', {});
    const { folder, pid } = (outcome.kind === 'succeeded' ? outcome.payload : {}) as { folder: string; pid: number };
    await access(folder);
    const running = cloud.invoke('Work', { hang: true });
    await Promise.all([cloud.close(), cloud.close()]);
    expect((await running).kind).toBe('failed');
    expect((await cloud.invoke('Work', {})).kind).toBe('throttled');
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    await expect(fetch(cloud.endpoint)).rejects.toThrow();
    await expect(access(folder)).rejects.toThrow(/ENOENT/);
  });
});
