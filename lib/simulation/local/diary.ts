/**
 * What was done to a local run from outside, written down: the verdict on the run must tell what the autoscaler did wrong
 * from what was done to it.
 */
import type { OutcomeKind } from '../../domain.ts';
import { AutoscalerError } from '../../errors.ts';
import type { ActionView } from '../cloud66/model.ts';

/** One thing that was done. Times in milliseconds of simulated time; `toMs` is null while it lasts. */
export interface Intervention {
  readonly kind: 'jobs' | 'deployment' | 'outage' | 'failing_action' | 'by_hand';
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly text: string;
}

/** Far more than a person presses buttons in one run. */
const MOST_INTERVENTIONS = 1000;

/** After these an action may end other than asked without anybody's fault. */
const DISTURBS: Readonly<Partial<Record<Intervention['kind'], string>>> = {
  deployment: 'the stack was deployed',
  outage: 'the Cloud 66 API was out',
  by_hand: 'the workers were changed by hand',
};

/** Notes of one run, oldest first. */
export class Diary {
  readonly #nowMs: () => number;
  readonly #notes: Intervention[] = [];
  readonly #broken = new Set<number>();

  /** The clock is the account's, so that notes and actions can be compared. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Throws AutoscalerError when the diary is full. Returns the number of the note, which lasts until it is finished. */
  begin(kind: Intervention['kind'], text: string): number {
    if (this.#notes.length >= MOST_INTERVENTIONS) {
      throw new AutoscalerError('That was enough for one run; start a new one.');
    }
    return this.#notes.push({ kind, fromMs: this.#nowMs(), toMs: null, text }) - 1;
  }

  /** Something that took no time. */
  write(kind: Intervention['kind'], text: string): void {
    this.finish(this.begin(kind, text));
  }

  /** What a note speaks of is over now. */
  finish(note: number): void {
    const begun = this.#notes[note];
    if (begun?.toMs === null) this.#notes[note] = { ...begun, toMs: this.#nowMs() };
  }

  /** This action fails because it was told to. */
  noteBroken(actionId: number): void {
    this.#broken.add(actionId);
    this.write('failing_action', `action ${actionId} was made to fail`);
  }

  notes(): readonly Intervention[] {
    return [...this.#notes];
  }

  wasBroken(actionId: number): boolean {
    return this.#broken.has(actionId);
  }

  /** What excuses that an action did not end as it should; null = nothing does. `seenAtMs` is when its end was told. */
  excuseFor(action: ActionView, outcome: OutcomeKind, seenAtMs: number): string | null {
    if (this.#broken.has(action.id)) return outcome === 'failed' ? 'it was made to fail' : null;
    // A failure that Cloud 66 itself reports is explained by nothing else.
    if (outcome === 'failed' || outcome === 'confirmed') return null;
    const during = this.#notes.find(
      ({ kind, fromMs, toMs }) => kind in DISTURBS && fromMs <= seenAtMs && (toMs ?? seenAtMs) >= action.startedAtMs,
    );
    return during ? (DISTURBS[during.kind] ?? null) : null;
  }
}
