/**
 * What a person may do to a local run while it is going on: more load, a deployment, an outage, an action that fails,
 * counts changed by hand.
 */
import { AutoscalerError } from '../../errors.ts';
import type { LocalQueues } from '../aws/sqs.ts';
import type { Cloud66Account } from '../cloud66/account.ts';
import type { HttpFault } from '../cloud66/http-faults.ts';
import type { ActionFault, ActionView } from '../cloud66/model.ts';
import type { Cloud66Stack } from '../cloud66/stack.ts';
import { Diary, type Intervention } from './diary.ts';

/** What the visitor acts on. */
export interface VisitorOptions {
  readonly stackUid: string;
  readonly processName: string;
  readonly queueName: string;
}

/** The parts of a world that a visitor touches. */
export interface Visited {
  readonly account: Cloud66Account;
  readonly cloud: { readonly queues: Pick<LocalQueues, 'depth' | 'send'> };
}

const MOST_JOBS_AT_ONCE = 500;
const MOST_JOBS_WAITING = 5000;
const MOST_WORKERS_BY_HAND = 20;
const DEPLOY_SECONDS = 90;
const FAILURE = 'The process could not be started (made to fail from the local page)';

/** Every hand's move returns a sentence on what was done, and throws AutoscalerError with one on why not. */
export class Visitor {
  readonly diary = new Diary(() => this.#inWorld().account.clock.nowMs());
  readonly #place: VisitorOptions;
  readonly #listeners: ((text: string) => void)[] = [];
  #world: Visited | null = null;
  #outage: number | null = null;
  #deployment: number | null = null;
  #failsNext = false;
  #addedJobs = 0;

  constructor(place: VisitorOptions) {
    this.#place = place;
  }

  /** From now on there is something to act on. */
  enter(world: Visited): void {
    this.#world = world;
  }

  /** Called with each thing that is done. */
  listen(listener: (text: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Sends jobs to the queue, at once. */
  async addJobs(count: number): Promise<string> {
    checkWhole('The number of jobs', count, 1, MOST_JOBS_AT_ONCE);
    const { queueName } = this.#place;
    const { queues } = this.#inWorld().cloud;
    if (queues.depth(queueName).visible + count > MOST_JOBS_WAITING) {
      throw new AutoscalerError(`The queue takes at most ${MOST_JOBS_WAITING} jobs here; let the workers catch up.`);
    }
    this.diary.write('jobs', `${count} jobs were added`);
    this.#addedJobs += count;
    const bodies = Array.from({ length: count }, (_, index) => JSON.stringify({ added: index }));
    await Promise.all(bodies.map((body) => queues.send(queueName, body)));
    return this.#tell(`${count} ${count === 1 ? 'job' : 'jobs'} added to the queue.`);
  }

  /** Somebody deploys the stack. */
  deploy(): string {
    const stack = this.#stack();
    if (this.isDeploying()) throw new AutoscalerError('A deployment is under way already.');
    this.#deployment = this.diary.begin('deployment', 'the stack was deployed');
    stack.deploy(DEPLOY_SECONDS);
    return this.#tell(`Deployment started: it takes ${DEPLOY_SECONDS} s and starts all workers again.`);
  }

  /** The Cloud 66 API stops answering, or answers again. */
  setOutage(on: boolean): string {
    this.#inWorld();
    if (on === (this.#outage !== null)) return on ? 'The outage is on already.' : 'There is no outage.';
    if (on) {
      this.#outage = this.diary.begin('outage', 'the Cloud 66 API was out');
      return this.#tell('Outage of the Cloud 66 API: every call is answered with 503.');
    }
    if (this.#outage !== null) this.diary.finish(this.#outage);
    this.#outage = null;
    return this.#tell('The Cloud 66 API answers again.');
  }

  /** The next scaling action is accepted and then fails, or not after all. */
  setFailsNext(on: boolean): string {
    this.#inWorld();
    this.#failsNext = on;
    return this.#tell(on ? 'The next scaling action will fail.' : 'The next scaling action is left alone.');
  }

  /** Somebody sets the workers of one server in Cloud 66's dashboard. */
  changeByHand(serverUid: string, count: number): string {
    checkWhole('The number of workers', count, 0, MOST_WORKERS_BY_HAND);
    const stack = this.#stack();
    const server = stack.servers().find(({ uid }) => uid === serverUid);
    if (server === undefined) throw new AutoscalerError('There is no such server.');
    this.diary.write('by_hand', `the workers on ${server.name} were set to ${count} by hand`);
    stack.changeByHand(this.#place.processName, { [serverUid]: count });
    return this.#tell(`Workers on ${server.name} set to ${count} by hand.`);
  }

  /** For the world: what the Cloud 66 server does to a request. */
  readonly apiFault = (): HttpFault | null => (this.#outage === null ? null : { kind: 'status', status: 503 });

  /** For the world: how an action that starts goes wrong. */
  readonly actionFault = (action: ActionView): ActionFault | null => {
    if (!this.#failsNext || action.kind !== 'process_scale') return null;
    this.#failsNext = false;
    this.diary.noteBroken(action.id);
    return { kind: 'fails', message: FAILURE };
  };

  hasOutage(): boolean {
    return this.#outage !== null;
  }

  failsNext(): boolean {
    return this.#failsNext;
  }

  isDeploying(): boolean {
    return ['queued_for_deploying', 'deploying'].includes(this.#stack().view().status);
  }

  /** Jobs beside the load of the run. */
  addedJobs(): number {
    return this.#addedJobs;
  }

  /** What was done so far, oldest first. */
  interventions(): readonly Intervention[] {
    if (this.#deployment !== null && !this.isDeploying()) {
      this.diary.finish(this.#deployment);
      this.#deployment = null;
    }
    return this.diary.notes();
  }

  #inWorld(): Visited {
    if (this.#world === null) throw new AutoscalerError('The run has not begun yet.');
    return this.#world;
  }

  #stack(): Cloud66Stack {
    return this.#inWorld().account.stack(this.#place.stackUid);
  }

  #tell(text: string): string {
    for (const listener of this.#listeners) listener(text);
    return text;
  }
}

function checkWhole(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new AutoscalerError(`${what} must be a whole number from ${min} to ${max}; found ${value}.`);
}
