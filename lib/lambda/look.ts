/** What the scale function does with an event: find the targets it names and look at them. */
import { alarmName as nameOfAlarm } from '../config/alarms.ts';
import type { Target } from '../domain.ts';
import { AutoscalerError } from '../errors.ts';
import type { TargetResult } from '../reconcile/ports.ts';
import { type PassSignals, type ReconcilePorts, reconcile } from '../reconcile/reconcile.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Look, parseEvent } from './events.ts';
import { watch } from './watch.ts';

/** An alarm older than this has been overtaken by many ticks; it is recorded and not followed. */
const MAX_EVENT_AGE_SECONDS = 900;

/** What a look needs to know of the configuration. */
export interface LookSettings {
  readonly targets: readonly Target[];
  /** Alarms of this program are named by this prefix and the target's id. */
  readonly alarmNamePrefix: string;
  /** Between two looks at a target that is watched. */
  readonly watchIntervalSeconds: number;
}

/** What the function returns: one word per target that was looked at. */
export type LookSummary = Readonly<Record<string, TargetResult['kind']>>;

/** Some targets failed: each with its error. Thrown at the very end, after all targets had their turn. */
export class PassFailedError extends AutoscalerError {
  override readonly name = 'PassFailedError';

  constructor(failures: readonly (readonly [string, Error])[], total: number) {
    const lines = failures.map(([id, error]) => `  ${id}: ${error.message}`);
    super(`${failures.length} of ${total} targets failed:\n${lines.join('\n')}`);
    this.cause = failures[0]?.[1];
  }
}

/**
 * Looks at the targets that an event names: all of them for a tick, one for an alarm. A tick goes on looking at those
 * that are watched; an alarm does not, so that the next alarm is never kept waiting.
 *
 * @throws InvalidInputError for an event of an unknown shape; PassFailedError when any target failed.
 */
export async function look(
  event: unknown,
  settings: LookSettings,
  ports: ReconcilePorts,
  signals: PassSignals,
  logger: Logger,
): Promise<LookSummary> {
  const looks = parseEvent(event);
  const named = new Set(looks.flatMap((one) => targetsOf(one, settings, ports.clock.nowMs(), logger)));
  const targets = settings.targets.filter((target) => named.has(target));
  if (targets.length === 0) return {};
  const startedAtMs = ports.clock.nowMs();
  const first = await reconcile(targets, ports, signals);
  const isTick = looks.some(({ kind }) => kind === 'tick');
  const later = isTick ? await watch(targets, settings.watchIntervalSeconds, startedAtMs, ports, signals) : [];
  const results = new Map([...first, ...[...later].filter(([id]) => first.get(id)?.kind !== 'failed')]);
  const failures = [...results].flatMap(([id, result]) =>
    result.kind === 'failed' ? [[id, result.error] as const] : [],
  );
  if (failures.length > 0) throw new PassFailedError(failures, targets.length);
  return Object.fromEntries([...results].map(([id, { kind }]) => [id, kind]));
}

function targetsOf(look: Look, settings: LookSettings, nowMs: number, logger: Logger): readonly Target[] {
  if (look.kind === 'tick') return settings.targets;
  const { alarmName, state } = look;
  const ageSeconds = Math.round((nowMs - look.atMs) / 1000);
  if (ageSeconds > MAX_EVENT_AGE_SECONDS) {
    logger.warn('An alarm event was ignored: it is too old.', { alarmName, state, ageSeconds, MAX_EVENT_AGE_SECONDS });
    return [];
  }
  const target = settings.targets.find(({ id }) => alarmName === nameOfAlarm(settings.alarmNamePrefix, id));
  if (!target) {
    const { alarmNamePrefix } = settings;
    logger.warn('An alarm event was ignored: no target has this alarm.', { alarmName, state, alarmNamePrefix });
    return [];
  }
  return [target];
}
