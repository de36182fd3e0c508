import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { onlyEntry } from './archive.ts';

interface Bundled {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly gzippedBytes: number;
}

const infra = (file: string) => pathToFileURL(path.join(import.meta.dirname, '..', '..', 'infra', file)).href;
const { bundle, BUDGET } = (await import(infra('bundle.mjs'))) as {
  bundle: (root: string) => Promise<readonly Bundled[]>;
  BUDGET: { readonly plain: number; readonly gzipped: number };
};
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.replace('.', '\\.');
const { zipOf } = (await import(infra('zip.mjs'))) as {
  zipOf: (files: ReadonlyMap<string, Uint8Array>) => Buffer;
};

const SMALL = 'export const handler = async (): Promise<string> => "small";';
let root = '';

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'autoscaler-bundle-'));
  mkdirSync(path.join(root, 'functions'));
});
afterEach(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

function write(scale: string, poller = SMALL): void {
  writeFileSync(path.join(root, 'functions', 'scale.ts'), scale);
  writeFileSync(path.join(root, 'functions', 'poller.ts'), poller);
}

function call(file: string): string {
  const script = `console.log(await (await import(${JSON.stringify(pathToFileURL(file).href)})).handler())`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout.trim();
}

describe('bundles', () => {
  it('are one small module per function, with an account of what is in them', async () => {
    write(SMALL);
    const bundles = await bundle(root);
    expect(bundles.map(({ name }) => name)).toEqual(['scale', 'poller']);
    for (const { name, file, bytes } of bundles) {
      expect(file).toBe(path.join(root, '.bundle', 'functions', `${name}.mjs`));
      expect(readFileSync(file)).toHaveLength(bytes);
      const account = JSON.parse(readFileSync(file.replace('.mjs', '.meta.json'), 'utf8')) as { inputs: object };
      expect(Object.keys(account.inputs)).toEqual([`functions/${name}.ts`]);
      expect(call(file)).toBe('small');
    }
  });

  it("take Node's modules without importing them, named imports and CommonJS included", async () => {
    writeFileSync(
      path.join(root, 'old.cjs'),
      "module.exports = require('crypto').createHash('sha1').update('a').digest('hex');",
    );
    write(`
      import path, { basename } from 'node:path';
      import * as timers from 'node:timers/promises';
      import old from '../old.cjs';
      export const handler = async () => [basename('/a/b'), path.extname('c.d'), typeof timers.setTimeout, old].join(' ');
    `);
    const [scale] = await bundle(root);
    expect(readFileSync(scale?.file ?? '', 'utf8')).not.toMatch(/\bfrom\s*"|\bimport\s*"/);
    expect(call(scale?.file ?? '')).toBe('b .d function 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8');
  });

  it('are refused when they outgrow their budget', async () => {
    let seed = 1;
    const noise = Array.from({ length: BUDGET.plain + 100_000 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return (seed % 36).toString(36);
    }).join('');
    write(`export const handler = async () => ${JSON.stringify(noise)};`);
    await expect(bundle(root)).rejects.toThrow(
      new RegExp(
        `^bundle of scale: \\d+\\.\\d kB is more than its budget, ${kilobytes(BUDGET.plain)}\\n` +
          `bundle of scale: \\d+\\.\\d kB gzipped is more than its budget, ${kilobytes(BUDGET.gzipped)}$`,
      ),
    );
  });

  it('are refused when a function does not build', async () => {
    write("import { nothing } from './missing.ts';\nexport const handler = nothing;");
    await expect(bundle(root)).rejects.toThrow('Could not resolve "./missing.ts"');
  });
});

describe('the bundles that are deployed', () => {
  const settings = {
    AWS_REGION: 'us-east-1',
    STAGE: 'test',
    CLOUD66_TOKEN: 'token',
    STACK_UID: 'shop',
    PROCESS_NAME: 'worker',
    QUEUE_NAME: 'jobs',
    ACTIONS_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/actions.fifo',
    ACTIONS_DEAD_LETTER_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/actions-dead.fifo',
  };
  /** Parts of Node that only later calls need, or none: each costs a cold start milliseconds. */
  const LATE = /undici|http2|child_process|inspector/;
  let bundles: readonly Bundled[] = [];

  beforeAll(async () => {
    bundles = await bundle(path.join(import.meta.dirname, '..', '..'));
  });

  it.each(['scale', 'poller'])('%s loads no part of Node at its start that only later calls need', (name) => {
    const { file = '' } = bundles.find((one) => one.name === name) ?? {};
    const script = `
      const before = new Set(process.moduleLoadList);
      const { handler } = await import(${JSON.stringify(pathToFileURL(file).href)});
      console.log(JSON.stringify([typeof handler, process.moduleLoadList.filter((each) => !before.has(each))]));`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: settings });
    const [kind, loaded] = JSON.parse(run.stdout) as readonly [string, readonly string[]];
    expect(kind).toBe('function');
    expect(loaded).toContain('NativeModule https');
    expect(loaded.filter((each) => LATE.test(each))).toEqual([]);
  });

  it('scale loads what calls Cloud 66 while it waits for its queues', () => {
    const { file = '' } = bundles.find(({ name }) => name === 'scale') ?? {};
    // A service that never answers: without an answer no pass comes as far as a call to Cloud 66.
    const script = `
      const silent = process.getBuiltinModule('node:net').createServer(() => {}).listen(0, '127.0.0.1', async () => {
        process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:' + silent.address().port;
        const { handler } = await import(${JSON.stringify(pathToFileURL(file).href)});
        const isLoaded = () => process.moduleLoadList.some((each) => /undici/.test(each));
        const before = isLoaded();
        handler({ 'detail-type': 'Scheduled Event', time: new Date().toISOString() }, { awsRequestId: '1', getRemainingTimeInMillis: () => 60_000 });
        setInterval(() => {
          if (!isLoaded()) return;
          console.error(JSON.stringify([before, true]));
          process.exit();
        }, 5);
      });`;
    const env = { ...settings, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
    const options = { encoding: 'utf8', env, timeout: 6_000 } as const;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
    expect(run.stderr.trim()).toBe('[false,true]');
  });

  it.each(['scale', 'poller'])('%s holds no other packages than these, and none in CommonJS', (name) => {
    const { file = '' } = bundles.find((one) => one.name === name) ?? {};
    const account = JSON.parse(readFileSync(file.replace('.mjs', '.meta.json'), 'utf8')) as {
      readonly inputs: Readonly<Record<string, { readonly format?: string }>>;
      readonly outputs: Readonly<
        Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
      >;
    };
    const held = Object.values(account.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
    );
    const files = held.filter((input) => input.startsWith('node_modules/'));
    const packages = new Set(files.map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input));
    const smithy = ['@smithy/core', '@smithy/node-http-handler', '@smithy/signature-v4'];
    expect(packages).toEqual(new Set(['@middy/core', ...smithy, 'croner', 'ky', 'valibot']));
    expect(files.filter((input) => /dist-cjs/.test(input) || account.inputs[input]?.format === 'cjs')).toEqual([]);
  });
});

describe('archives', () => {
  it('hold one readable file and are the same bytes every time', () => {
    const content = Buffer.from('export const handler = 1;'.repeat(100));
    const archive = zipOf(new Map([['functions/scale.mjs', content]]));
    expect(onlyEntry(archive)).toEqual({ name: 'functions/scale.mjs', content, mode: 0o100644 });
    expect(zipOf(new Map([['functions/scale.mjs', content]])).equals(archive)).toBe(true);
  });
});
