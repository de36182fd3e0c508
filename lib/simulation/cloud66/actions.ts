/**
 * The asynchronous work of one stack: one action at a time, the others wait. An action changes nothing until it ends, and
 * how it ends is decided when it starts.
 */
import type { SimulationClock } from '../clock.ts';
import type { ActionFault, ActionView } from './model.ts';

/** Actions that a stack remembers; the oldest finished ones are forgotten first. */
const MAX_REMEMBERED_ACTIONS = 1000;

type Action = { -readonly [Key in keyof ActionView]: ActionView[Key] };

/** What is known of an action before it has an id and a history. */
export type ActionRequest = Pick<
  ActionView,
  'kind' | 'user' | 'startedVia' | 'processName' | 'requestedCounts' | 'userReference'
>;

/** What an action does, and when. */
export interface Work {
  readonly latencySeconds: () => number;
  /** Called when the action's turn comes. */
  readonly onStart: () => void;
  /** The change itself. Called at the end, if the action really does its work. */
  readonly apply: () => void;
  /** Called when the action is over, well or not; not for one that never ends. */
  readonly onOver: (success: boolean) => void;
}

interface End {
  readonly afterSeconds: number;
  readonly run: () => void;
}

export interface ActionLogOptions {
  readonly clock: SimulationClock;
  readonly nextId: () => number;
  readonly faultOf: (action: ActionView) => ActionFault | null;
}

export class ActionLog {
  readonly #clock: SimulationClock;
  readonly #nextId: () => number;
  readonly #faultOf: (action: ActionView) => ActionFault | null;
  /** Oldest first. */
  readonly #actions: Action[] = [];
  readonly #waiting: { readonly action: Action; readonly work: Work }[] = [];
  readonly #cancels = new Set<() => void>();
  #running: Action | null = null;

  constructor({ clock, nextId, faultOf }: ActionLogOptions) {
    this.#clock = clock;
    this.#nextId = nextId;
    this.#faultOf = faultOf;
  }

  /** Starts the work, or puts it behind what already runs. */
  begin(request: ActionRequest, work: Work): ActionView {
    const action = this.#add({ ...request, finishedAtMs: null, success: null });
    if (this.#running === null) this.#start(action, work);
    else this.#waiting.push({ action, work });
    return { ...action };
  }

  /** Writes down work that is already done. */
  record(request: ActionRequest): ActionView {
    return { ...this.#add({ ...request, finishedAtMs: this.#clock.nowMs(), success: true }) };
  }

  busy(): boolean {
    return this.#running !== null;
  }

  /** Newest first. Not copies: what is read of them later may have changed. */
  newest(): readonly ActionView[] {
    return this.#actions.toReversed();
  }

  find(id: number): ActionView | undefined {
    const found = this.#actions.find((action) => action.id === id);
    return found === undefined ? undefined : { ...found };
  }

  /** Cancels everything that is under way. */
  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#waiting.length = 0;
  }

  #add(start: ActionRequest & Pick<ActionView, 'finishedAtMs' | 'success'>): Action {
    const action: Action = { ...start, id: this.#nextId(), startedAtMs: this.#clock.nowMs(), message: null };
    this.#actions.push(action);
    if (this.#actions.length > MAX_REMEMBERED_ACTIONS) {
      const oldest = this.#actions.findIndex((known) => known.finishedAtMs !== null);
      if (oldest >= 0) this.#actions.splice(oldest, 1);
    }
    return action;
  }

  #start(action: Action, work: Work): void {
    this.#running = action;
    work.onStart();
    const end = this.#endOf(action, work);
    if (end !== null) this.#after(end.afterSeconds, end.run);
  }

  /** When and how the action will end; null when nothing at all will happen any more. */
  #endOf(action: Action, work: Work): End | null {
    const fault = this.#faultOf({ ...action });
    switch (fault?.kind) {
      case undefined:
        return { afterSeconds: work.latencySeconds(), run: () => this.#succeed(action, work) };
      case 'slow':
        return { afterSeconds: fault.latencySeconds, run: () => this.#succeed(action, work) };
      case 'fails':
        return { afterSeconds: work.latencySeconds(), run: () => this.#finish(action, work, false, fault.message) };
      case 'changes_nothing':
        return { afterSeconds: work.latencySeconds(), run: () => this.#finish(action, work, true, null) };
      case 'vanishes':
        return { afterSeconds: fault.afterSeconds, run: () => this.#vanish(action, work, fault.appliesChange) };
      case 'never_finishes':
        if (fault.holdsStackSeconds === undefined) return null;
        return { afterSeconds: fault.holdsStackSeconds, run: () => this.#release() };
    }
  }

  #succeed(action: Action, work: Work): void {
    work.apply();
    this.#finish(action, work, true, null);
  }

  #finish(action: Action, work: Work, success: boolean, message: string | null): void {
    action.finishedAtMs = this.#clock.nowMs();
    action.success = success;
    action.message = message;
    work.onOver(success);
    this.#release();
  }

  #vanish(action: Action, work: Work, appliesChange: boolean): void {
    this.#actions.splice(this.#actions.indexOf(action), 1);
    if (appliesChange) work.apply();
    work.onOver(appliesChange);
    this.#release();
  }

  #release(): void {
    this.#running = null;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next.action, next.work);
  }

  #after(seconds: number, run: () => void): void {
    // Work that takes no time is done before the call returns, so that a test sees it without waiting.
    if (seconds <= 0) {
      run();
      return;
    }
    const cancel = this.#clock.schedule(this.#clock.nowMs() + seconds * 1000, () => {
      this.#cancels.delete(cancel);
      run();
    });
    this.#cancels.add(cancel);
  }
}
