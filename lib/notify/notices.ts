/**
 * What people are told, and how rarely: a state is told when it has lasted, again after hours, and once more when it is over; an
 * event is told once. Kept in the memory of one execution environment: after a cold start a state that still lasts is told
 * again, which is the worst that forgetting does.
 *
 * This folder knows neither policies nor queues: it is given sentences. Sending them is in sns.ts.
 */

/** Every kind of notice, with what it means. */
export const NOTICES = {
  scaled: 'The count of workers is being changed: from, to, and why.',
  at_maximum: 'More workers are wanted than MAX_WORKERS or the servers allow; with how many would do.',
  blind: 'A reading that decisions rest on has been missing for some minutes; the count is kept meanwhile.',
  scale_out_ineffective: 'More workers did not finish more; something behind them is the bottleneck.',
  action: 'A change failed, got stuck, was lost, or ended in other counts than were asked for.',
  override_ending: 'An override ends within ten minutes.',
  failing: 'A look at the target failed.',
  recovered: 'What was told before is over.',
} as const;

export type NoticeKind = keyof typeof NOTICES;

/** One thing to tell. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly targetId: string;
  readonly text: string;
}

/** A state as it is seen now. */
export interface SeenState {
  readonly kind: Exclude<NoticeKind, 'scaled' | 'action' | 'recovered'>;
  readonly text: string;
}

/** Collects notices. */
export interface Notices {
  /** The states of a target as one look saw them; those that are missing are over. */
  see(targetId: string, states: readonly SeenState[], nowMs: number): void;
  /** Something that happened. */
  add(notice: Notice): void;
  /** What is to be told now, in the order in which it came up. */
  take(): readonly Notice[];
}

/** A state is told when it has lasted for so long: a single failed reading is nobody's business. */
const LASTING_SECONDS = 150;
/** Told again when it still lasts. */
const REPEAT_SECONDS = 6 * 3600;
/** A state that was not looked at for so long is a new one. */
const FORGOTTEN_SECONDS = 900;
/** Notices that wait to be sent; more of them would be a storm that nobody reads. */
const MAX_WAITING = 200;

interface OpenState {
  readonly sinceMs: number;
  readonly seenMs: number;
  readonly toldMs: number | null;
}

export function createNotices(): Notices {
  const open = new Map<string, Map<SeenState['kind'], OpenState>>();
  let waiting: Notice[] = [];
  const add = (notice: Notice): void => {
    if (waiting.length < MAX_WAITING) waiting.push(notice);
  };

  return {
    see(targetId, states, nowMs) {
      const before = open.get(targetId) ?? new Map<SeenState['kind'], OpenState>();
      const after = new Map(
        states.map(({ kind, text }) => {
          const state = stateAfter(before.get(kind), kind, nowMs);
          if (state.toldMs === nowMs) add({ kind, targetId, text });
          return [kind, state];
        }),
      );
      for (const [kind, { toldMs }] of before) {
        if (toldMs === null || after.has(kind) || kind === 'override_ending') continue;
        add({ kind: 'recovered', targetId, text: `Over: ${kind.replaceAll('_', ' ')}.` });
      }
      open.set(targetId, after);
    },
    add,
    take() {
      const taken = waiting;
      waiting = [];
      return taken;
    },
  };
}

function stateAfter(known: OpenState | undefined, kind: SeenState['kind'], nowMs: number): OpenState {
  const isNew = known === undefined || nowMs - known.seenMs > FORGOTTEN_SECONDS * 1000;
  const { sinceMs, toldMs } = isNew ? { sinceMs: nowMs, toldMs: null } : known;
  const patienceSeconds = kind === 'override_ending' ? 0 : LASTING_SECONDS;
  const isDue = toldMs === null ? nowMs - sinceMs >= patienceSeconds * 1000 : nowMs - toldMs >= REPEAT_SECONDS * 1000;
  return { sinceMs, seenMs: nowMs, toldMs: isDue ? nowMs : toldMs };
}
