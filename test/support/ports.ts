/** A small world behind the ports: it keeps what was done to it, and each reading can be replaced by a test. */
import type {
  Action,
  ActionRecord,
  Backlog,
  BacklogHistory,
  Outcome,
  Override,
  Placement,
  RateHistory,
  Reading,
  ScaleRequest,
  StackState,
  Target,
} from '../../lib/domain.ts';
import { createMemory } from '../../lib/reconcile/memory.ts';
import type { ActionLook, ScaleAnswer, TargetResult } from '../../lib/reconcile/ports.ts';
import type { PassSignals, ReconcilePorts } from '../../lib/reconcile/reconcile.ts';
import { depthOf, historyOf, NOW, ok, placementOf, policyOf, ratesOf, serverOf } from './observations.ts';

export function targetOf(id: string, changes: Partial<Target> = {}): Target {
  return {
    id,
    stackUid: 'stack-1',
    processName: id,
    source: { kind: 'sqs', queueUrl: `https://sqs.eu-west-1.amazonaws.com/1/${id}` },
    policy: policyOf(),
    alarm: { threshold: 11, periodSeconds: 60 },
    ...changes,
  };
}

/** Signals that never fire. */
export function openSignals(): PassSignals {
  return { work: new AbortController().signal, last: new AbortController().signal };
}

/** What the world answers; every map is keyed by target id or process name. */
export interface WorldAnswers {
  nowMs: number;
  depths: Record<string, Reading<Backlog>>;
  histories: Record<string, Reading<BacklogHistory>>;
  rates: Record<string, Reading<RateHistory>>;
  placements: Record<string, Reading<Placement>>;
  /** Calls to Cloud 66 that may be made for counting. */
  callsLeft: number;
  isStrained: boolean;
  stack: Reading<StackState>;
  overrides: Reading<ReadonlyMap<string, Override>>;
  actions: Reading<readonly Action[]>;
  action: ActionLook;
  scale: (request: ScaleRequest) => ScaleAnswer;
  send: (record: ActionRecord) => void;
}

export function fakeWorld(changes: Partial<WorldAnswers> = {}) {
  const answers: WorldAnswers = {
    nowMs: NOW,
    depths: {},
    histories: {},
    rates: {},
    placements: {},
    callsLeft: 2250,
    isStrained: false,
    stack: ok({ status: 'deployed', maintenanceMode: false }),
    overrides: ok(new Map()),
    actions: ok([]),
    action: { kind: 'gone', detail: 'never there' },
    scale: () => ({ kind: 'accepted', actionId: 42 }),
    send: () => {},
    ...changes,
  };
  const calls: string[] = [];
  const requests: ScaleRequest[] = [];
  const records: ActionRecord[] = [];
  const results: [string, TargetResult][] = [];
  const outcomes: Outcome[] = [];
  const note = (call: string) => calls.push(call);
  const ports: ReconcilePorts = {
    clock: { nowMs: () => answers.nowMs },
    queue: {
      depths: async (queries) => {
        note(`depths ${queries.length}`);
        return new Map(queries.map(({ targetId }) => [targetId, answers.depths[targetId] ?? ok(depthOf(0))]));
      },
      histories: async (queries) => {
        note(`histories ${queries.map(({ targetId }) => targetId).join()}`);
        const quiet = ok(historyOf(Array<number>(10).fill(0)));
        return new Map(queries.map(({ targetId }) => [targetId, answers.histories[targetId] ?? quiet]));
      },
      rates: async (queries) => {
        note(`rates ${queries.map(({ targetId }) => targetId).join()}`);
        return new Map(queries.map(({ targetId }) => [targetId, answers.rates[targetId] ?? ok(ratesOf([0]))]));
      },
    },
    host: {
      placements: async (stackUid, names) => {
        note(`placements ${stackUid}`);
        const oneWorker = (processName: string) => ok({ ...placementOf(serverOf('a', 1)), processName }, answers.nowMs);
        return new Map(names.map((name) => [name, answers.placements[name] ?? oneWorker(name)]));
      },
      allowance: () => ({
        account: 'one',
        hourlyCalls: 2250,
        callsLeft: answers.callsLeft,
        overdueCallsLeft: answers.callsLeft,
        resetAtMs: answers.nowMs + 3_600_000,
        isStrained: answers.isStrained,
      }),
      stack: async (stackUid) => {
        note(`stack ${stackUid}`);
        return answers.stack;
      },
      actions: async (stackUid) => {
        note(`actions ${stackUid}`);
        return answers.actions;
      },
      action: async () => answers.action,
    },
    scaler: {
      scale: async (request) => {
        note(`scale ${request.processName}`);
        requests.push(request);
        return answers.scale(request);
      },
    },
    sender: {
      send: async (record) => {
        answers.send(record);
        records.push(record);
      },
    },
    reporter: {
      decided: ({ targetId, result }) => results.push([targetId, result]),
      ended: ({ outcome }) => outcomes.push(outcome),
      looked: () => {},
      adopted: () => {},
    },
    memory: createMemory(),
    overrides: { read: async () => answers.overrides },
    openWindows: () => [],
    newDecisionId: () => `decision-${results.length + 1}`,
  };
  return { answers, ports, calls, requests, records, results, outcomes };
}
