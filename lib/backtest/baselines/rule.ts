/**
 * What every rule of this folder needs: the common bounds, a setting by name, and the one conversion of a wait target
 * into jobs per worker.
 */
import type { Settings, Workload } from './baseline.ts';

/** The count within the bounds that are common to every policy of a run. */
export function bounded(workload: Workload, count: number): number {
  return Math.min(workload.maxWorkers, Math.max(workload.minWorkers, count));
}

/** Null where the count ordered would be the one already ordered. */
export function order(workload: Workload, count: number, desiredWorkers: number): number | null {
  const wanted = bounded(workload, count);
  return wanted === desiredWorkers ? null : wanted;
}

/** A value that a rule's `defaults` always give; a missing one is a mistake of the caller. */
export function setting(settings: Settings, name: string): number {
  const value = settings[name];
  if (value === undefined || !Number.isFinite(value)) {
    throw new RangeError(`setting ${name}: found ${value}, expected a finite number`);
  }
  return value;
}

/** Jobs in the system per worker at which the newest one waits about the target: c + c·W/S. */
export function jobsPerWorker(workload: Workload): number {
  const waiting = (workload.concurrency * workload.waitTargetSeconds) / workload.jobSeconds;
  return Math.max(1, workload.concurrency + waiting);
}
