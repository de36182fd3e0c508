/** Everything that leaves the program besides its log: templates, errors of the configuration, notifications, metrics, reports. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { template } from '../../infra/template.ts';
import { parseSettings } from '../../lib/config/settings.ts';
import { tell } from '../../lib/lambda/tell.ts';
import { createNotices } from '../../lib/notify/notices.ts';
import { compareShadow } from '../../lib/shadow/compare.ts';
import { renderShadowReport } from '../../lib/shadow/page.ts';
import { parseShadowLog } from '../../lib/shadow/records.ts';
import { shadowText } from '../../lib/shadow/text.ts';
import { createLogger } from '../../lib/telemetry/logger.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';
import { NOW } from '../support/observations.ts';

/** As tokens look, and as nothing else in the outputs does. */
const secret = fc.stringMatching(/^[A-Za-z0-9._~+/-]{16,64}$/).filter((text) => /[A-Z]/.test(text) && /\d/.test(text));
const PLACE = { service: 'autoscaler', stage: 'prod', region: 'eu-west-1' };
const SETTINGS = {
  STACK_UID: 'abc',
  PROCESS_NAME: 'worker',
  QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
};
const KEYS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'DATABASE_URL', 'NPM_TOKEN'] as const;

/** What is thrown, with everything that hangs on it. */
function thrownBy(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error.stack} ${JSON.stringify(error)} ${JSON.stringify(Object.entries(error))}`;
  }
  return 'nothing';
}

describe('for every secret,', () => {
  it('the packaged template holds nothing of the environment that it was made in', () => {
    fc.assert(
      fc.property(secret, fc.subarray([...KEYS]), (value, keys) => {
        const environment = { ...SETTINGS, CLOUD66_TOKEN_PARAMETER: '/token' };
        const made = template({ ...environment, ...Object.fromEntries(keys.map((key) => [key, value])) }, PLACE);
        expect(JSON.stringify(made)).not.toContain(value);
      }),
      { numRuns: 50 },
    );
  });

  it('a token in the settings of a deployment is refused without being shown', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom('', ' ', '\n', '"'), (value, around) => {
        const environment = { ...SETTINGS, CLOUD66_TOKEN: `${around}${value}${around}` };
        const refusal = thrownBy(() => template(environment, PLACE));
        expect(refusal).toContain('CLOUD66_TOKEN');
        expect(refusal).not.toContain(value);
        const both = { ...environment, CLOUD66_TOKEN_PARAMETER: '/token', MAX_WORKERS: 'many' };
        const problems = thrownBy(() => parseSettings(both));
        expect(problems).toContain('MAX_WORKERS');
        expect(problems).not.toContain(value);
      }),
      { numRuns: 50 },
    );
  });

  it('notifications, their notices and the metrics do not hold it', async () => {
    await fc.assert(
      fc.asyncProperty(secret, fc.string({ maxLength: 30 }), async (value, words) => {
        const redactor = createRedactor();
        redactor.register(value);
        const lines: string[] = [];
        const write = (line: string) => {
          lines.push(line);
        };
        const clock = { nowMs: () => NOW };
        const logger = createLogger({ level: 'debug', write, clock, redactor });
        const metrics = createMetrics({ write, clock, service: 'scale' });
        const notices = createNotices();
        notices.add({ kind: 'failing', targetId: 'worker', text: `${words}${value}${words} Bearer ${value}` });
        const sent: unknown[] = [];
        const publisher = {
          publish: async (taken: unknown) => {
            sent.push(taken);
            throw new Error(`could not send ${value}`);
          },
        };
        await tell({ notices, publisher, metrics, redactor }, logger, new AbortController().signal);
        metrics.flush();
        expect(sent).toHaveLength(1);
        expect(JSON.stringify(sent)).not.toContain(value);
        expect(lines.join('\n')).not.toContain(value);
      }),
      { numRuns: 100 },
    );
  });

  it('a report made from a log that was full of it does not hold it', () => {
    fc.assert(
      fc.property(secret, (value) => {
        const redactor = createRedactor();
        redactor.register(value);
        const lines: string[] = [];
        for (let minute = 0; minute < 5; minute += 1) {
          const clock = { nowMs: () => NOW + minute * 60_000 };
          const write = (line: string) => {
            lines.push(line);
          };
          createLogger({ level: 'info', write, clock, redactor }).info(`look ${value}`, {
            event: 'shadow',
            targetId: `worker-${value}`,
            ...{ virtualCount: 2, actualCount: 3, visible: 4, inFlight: 1 },
            ...{ jobSeconds: 6, jobsPerWorker: 1, ordered: null, note: value },
          });
        }
        const { targets } = parseShadowLog(lines);
        const comparisons = [...targets.values()].flatMap((records) => compareShadow(records) ?? []);
        expect(comparisons).toHaveLength(1);
        const page = renderShadowReport(comparisons, [], { scripts: [], styles: [] });
        expect(`${shadowText(comparisons, [])}\n${page}`).not.toContain(value);
      }),
      { numRuns: 30 },
    );
  });
});
