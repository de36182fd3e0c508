/** The queue of jobs with its metrics, and the queue of action records, both in virtual time. */
import { GLOBAL_SETTINGS } from '../../config/global-settings.ts';
import type { VirtualClock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { Dice } from './plan.ts';

const MINUTE_MS = 60_000;
const JOBS_PER_WORKER_MINUTE = 10;
/** Visibility of a received record, when the handler does not change it. */
const VISIBILITY_MS = 90_000;

/** Jobs come in waves, and as many workers as run work them off, minute by minute. */
export class JobQueue {
  workers = 1;
  visible = 0;
  inFlight = 0;
  /** False from the calm on: no more jobs come. */
  isFed = true;
  readonly #random: Random;
  readonly #phase: number;
  readonly #points: Point[] = [];

  /** Queues with another phase are busy at another time. */
  constructor(random: Random, phase = 0) {
    this.#random = random;
    this.#phase = phase;
  }

  pass(nowMs: number): void {
    const wave = Math.max(0, Math.sin(nowMs / (90 * MINUTE_MS) + this.#phase));
    const burst = this.#random.chance(0.01) ? 150 : 0;
    const sent = this.isFed ? Math.round(60 * wave * this.#random.next()) + burst : 0;
    const waiting = this.visible + this.inFlight + sent;
    const done = Math.min(waiting, this.workers * JOBS_PER_WORKER_MINUTE);
    this.inFlight = Math.min(waiting - done, this.workers);
    this.visible = waiting - done - this.inFlight;
    this.#points.push({ atMs: nowMs - MINUTE_MS, visible: this.visible, inFlight: this.inFlight, sent, done });
    if (this.#points.length > 200) this.#points.shift();
  }

  /** As they were so many minutes ago. */
  attributes(minutesAgo = 0): Record<string, string> {
    const { visible, inFlight } = this.#points.at(-1 - minutesAgo) ?? this;
    return {
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
      ApproximateNumberOfMessagesDelayed: '0',
    };
  }

  /** What CloudWatch has of the queue since a time. */
  points(fromMs: number): readonly Point[] {
    return this.#points.filter(({ atMs }) => atMs >= fromMs);
  }
}

/** A minute of a queue. */
interface Point {
  readonly atMs: number;
  readonly visible: number;
  readonly inFlight: number;
  readonly sent: number;
  readonly done: number;
}

interface MetricQuery {
  readonly Id: string;
  readonly MetricStat: {
    readonly Metric: { readonly MetricName: string; readonly Dimensions?: readonly { readonly Value: string }[] };
  };
}

/** An answer of GetMetricData, perhaps late, empty or short of a point; nothing before `sinceMs`. */
export function metricData(
  request: Readonly<Record<string, unknown>>,
  queues: ReadonlyMap<string, JobQueue>,
  { nowMs, sinceMs, dice }: { readonly nowMs: number; readonly sinceMs: number; readonly dice: Dice },
): unknown {
  const queries = request.MetricDataQueries as readonly MetricQuery[];
  const isEmpty = dice.strikes('metrics_empty');
  const lagMs = (dice.strikes('metrics_late') ? 6 : 1) * MINUTE_MS;
  const missing = dice.strikes('metrics_off_by_one') ? 1 : 0;
  const fromMs = Math.max(Number(request.StartTime) * 1000, sinceMs);
  const MetricDataResults = queries.map(({ Id, MetricStat: { Metric } }) => {
    const queue = queues.get(Metric.Dimensions?.[0]?.Value ?? '');
    const points = (queue?.points(fromMs) ?? []).filter(({ atMs }) => atMs + MINUTE_MS + lagMs <= nowMs);
    const shown = isEmpty ? [] : points.slice(missing);
    return {
      Id,
      StatusCode: 'Complete',
      Timestamps: shown.map(({ atMs }) => atMs / 1000),
      Values: shown.map((point) => metricOf(point, Metric.MetricName)),
    };
  });
  return { MetricDataResults, Messages: [] };
}

function metricOf({ visible, inFlight, sent, done }: Point, metricName: string): number {
  if (metricName === 'ApproximateNumberOfMessagesVisible') return visible;
  if (metricName === 'ApproximateNumberOfMessagesNotVisible') return inFlight;
  if (metricName === 'NumberOfMessagesSent') return sent;
  return metricName === 'NumberOfMessagesDeleted' ? done : 0;
}

/** SQS drops what it has seen within this time: "Amazon SQS FIFO queues", deduplication interval. */
const REMEMBERED_MS = 300_000;

const FIRST_LOOK_MS = Number(GLOBAL_SETTINGS.ACTION_FIRST_LOOK_SECONDS.default) * 1000;

interface Message {
  readonly id: string;
  readonly body: string;
  readonly groupId: string;
  receives: number;
  dueAtMs: number;
}

/** The action that a message is about; null when it is no record. */
export function actionIdOf(body: string): number | null {
  try {
    return (JSON.parse(body) as { readonly actionId?: number }).actionId ?? null;
  } catch {
    return null;
  }
}

/** Action records until they are deleted; a message that was sent with a known id is dropped. */
export class ActionsQueue {
  readonly waiting = new Map<string, Message>();
  readonly buried: string[] = [];
  /** Records that ever arrived, each once. */
  stored = 0;
  /** Ids of the actions whose record arrived. */
  readonly recorded = new Set<number>();
  /** Those whose record arrived again after SQS had forgotten the first. */
  readonly recordedTwice = new Set<number>();
  readonly #known = new Map<string, number>();
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  add(body: string, deduplicationId: string): void {
    const nowMs = this.#clock.nowMs();
    const sentAtMs = this.#known.get(deduplicationId);
    if (sentAtMs !== undefined && nowMs - sentAtMs < REMEMBERED_MS) return;
    this.#known.set(deduplicationId, nowMs);
    const { actionId, targetId: groupId } = JSON.parse(body) as { actionId: number; targetId: string };
    if (this.recorded.has(actionId)) this.recordedTwice.add(actionId);
    else this.stored += 1;
    this.recorded.add(actionId);
    this.addForeign(body, deduplicationId, groupId);
  }

  /** Whatever it is. */
  addForeign(body: string, id: string, groupId: string): void {
    this.waiting.set(id, { id, body, groupId, receives: 0, dueAtMs: this.#clock.nowMs() + FIRST_LOOK_MS });
  }

  /** Forgets what SQS has forgotten. */
  forget(): void {
    const beforeMs = this.#clock.nowMs() - REMEMBERED_MS;
    for (const [id, sentAtMs] of this.#known) if (sentAtMs < beforeMs) this.#known.delete(id);
  }

  bury(body: string): void {
    this.buried.push(body);
  }

  hide(id: string, untilMs: number): void {
    const message = this.waiting.get(id);
    if (message) message.dueAtMs = untilMs;
  }

  /** Up to ten that are due, hidden from now on. */
  receive(): readonly Message[] {
    const due = [...this.waiting.values()].filter(({ dueAtMs }) => dueAtMs <= this.#clock.nowMs()).slice(0, 10);
    for (const message of due) {
      message.receives += 1;
      message.dueAtMs = this.#clock.nowMs() + VISIBILITY_MS;
    }
    return due;
  }
}
