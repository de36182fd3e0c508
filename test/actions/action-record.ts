/** A record for tests. */
import type { ActionRecord } from '../../lib/domain.ts';

/** A valid record; fields can be replaced. */
export function actionRecord(change: Partial<ActionRecord> = {}): ActionRecord {
  return {
    version: 1,
    targetId: 'mailer',
    stackUid: '5999b763474b0eafa5fafb64bff0ba80',
    processName: 'worker',
    actionId: 4711,
    requestedCounts: { server1: 3, server2: 2 },
    desiredCount: 5,
    previousCount: 2,
    decisionId: '0c5a4b1e-5d5c-4e7e-9d5b-0d3f6f1d7a11',
    acceptedAtMs: 1_800_000_000_000,
    ...change,
  };
}
