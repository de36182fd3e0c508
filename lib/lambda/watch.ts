/**
 * Attention: after a tick, targets that are watched (awake, or quiet after a burst) are looked at again every few seconds until
 * the next tick is due. A minute in which no target is watched ends at once and costs nothing more. When the calls to Cloud 66
 * run short, the tick has to do.
 */
import type { Target } from '../domain.ts';
import { isWatched } from '../policy/attention.ts';
import type { TargetResult } from '../reconcile/ports.ts';
import { type PassKind, type PassSignals, type ReconcilePorts, reconcile } from '../reconcile/reconcile.ts';

/** The time between two ticks of the schedule: the watch ends so that its last look is over before the next one. */
const TICK_SECONDS = 60;
/** The tick counts the stacks in turn, the watch those that move. */
const BETWEEN_TICKS: PassKind = { countsInTurn: false };

/**
 * Looks at the watched ones of `targets` until none is watched or the next tick takes over.
 *
 * @param startedAtMs when the tick's own pass began; looks follow at multiples of the interval from there.
 * @returns results of the looks that failed or changed something; a later quiet look does not cover up an earlier failure.
 */
export async function watch(
  targets: readonly Target[],
  intervalSeconds: number,
  startedAtMs: number,
  ports: ReconcilePorts,
  signals: PassSignals,
): Promise<ReadonlyMap<string, TargetResult>> {
  const telling = new Map<string, TargetResult>();
  const intervalMs = intervalSeconds * 1000;
  const endMs = startedAtMs + TICK_SECONDS * 1000;
  for (let nextMs = startedAtMs + intervalMs; nextMs < endMs; nextMs += intervalMs) {
    const watched = targets.filter(
      ({ id, stackUid }) => isWatched(ports.memory.attention(id)) && !ports.host.allowance(stackUid).isStrained,
    );
    if (watched.length === 0 || signals.work.aborted) break;
    // A pass that took longer than the interval has used up this look.
    if (ports.clock.nowMs() > nextMs) continue;
    await sleep(nextMs - ports.clock.nowMs(), signals.work);
    if (signals.work.aborted) break;
    for (const [id, result] of await reconcile(watched, ports, signals, BETWEEN_TICKS)) {
      if (result.kind === 'held' || telling.get(id)?.kind === 'failed') continue;
      telling.set(id, result);
    }
  }
  return telling;
}

/** Resolves after the time, or as soon as the signal fires. */
async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, delayMs));
    signal.addEventListener('abort', end, { once: true });
  });
}
