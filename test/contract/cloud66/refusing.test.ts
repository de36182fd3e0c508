import { describe, expect, it } from 'vitest';
import {
  ForbiddenError,
  ThrottledError,
  TrialExpiredError,
  UnauthorizedError,
  UnavailableError,
} from '../../../lib/cloud66/errors.ts';
import { connect, FORMS, LION, NOW_MS, never, STACK_UID, wish } from './connect.ts';

const failed = (why: string) => ({ kind: 'failed', why });
/** What Cloud 66 has refused once is not asked again in this hour, and is no trouble of its own. */
const SPENT = { kind: 'missing', why: 'over_budget' };

describe.each(FORMS)('Cloud 66 refusing, $replyForm replies, seed $seed', (form) => {
  it.each([
    ['a wrong token', { token: 'token-revoked' }, UnauthorizedError, failed('access_denied')],
    ['a token without the scope', { token: 'token-scale' }, ForbiddenError, failed('access_denied')],
    ['an expired trial', { settings: { trialExpired: true } }, TrialExpiredError, failed('access_denied')],
    ['a used-up budget (503)', { settings: { callsPerHour: 0 } }, ThrottledError, SPENT],
    ['a used-up budget (429)', { settings: { callsPerHour: 0, throttledStatus: 429 as const } }, ThrottledError, SPENT],
    [
      'a server error',
      { serving: { faults: () => ({ kind: 'status', status: 502 }) as const } },
      UnavailableError,
      failed('unavailable'),
    ],
  ])('%s is an error of its own, and no reading', async (_name, wishes, errorClass, reading) => {
    const { client, host } = await connect(form, wishes);
    const error: unknown = await client.getStack(STACK_UID, never()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(errorClass);
    expect(String(error)).not.toContain('token-');
    expect(await host.stack(STACK_UID, never())).toMatchObject(reading);
    const placements = await host.placements(STACK_UID, ['worker'], never());
    expect(placements.get('worker')).toMatchObject({ kind: reading.kind });
  });

  it('names the scope that a scale call needs', async () => {
    const { scaler, stack } = await connect(form, { token: 'token-read' });
    const answer = await scaler.scale(wish({ [LION]: 2 }), never());
    expect(answer.kind === 'refused' && answer.error).toMatchObject({ name: 'ForbiddenError', scope: 'admin' });
    expect(stack.actions()).toEqual([]);
  });

  it('says when a used-up budget is worth another call: when the reply tells, else within minutes', async () => {
    for (const [throttledStatus, waitMs] of [
      [503, 300_000],
      [429, 1_800_000],
    ] as const) {
      const { client } = await connect(form, { settings: { callsPerHour: 0, throttledStatus } });
      const error: unknown = await client.getStack(STACK_UID, never()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ retryAtMs: NOW_MS + waitMs });
    }
  });

  it('knows no other stack', async () => {
    const { host } = await connect(form);
    expect(await host.stack('abcdef', never())).toMatchObject({ kind: 'failed', why: 'not_found' });
  });
});
