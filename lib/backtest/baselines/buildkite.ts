/**
 * buildkite-agent-scaler: one slot for every outstanding job, and agents that end themselves when idle. Its check of
 * agents that never came online is left out: here a running worker is always online.
 */
import type { Baseline, Sensed, Settings, Workload } from './baseline.ts';
import { recent, smallest } from './recent.ts';
import { bounded, setting } from './rule.ts';

// The serverless application template's values; the binary's own cooldowns are 0.
const DEFAULTS = {
  instanceBuffer: 0,
  outCooldownSeconds: 300,
  inCooldownSeconds: 3600,
  outFactor: 0,
  inFactor: 0,
  disableScaleIn: 1,
  idleSeconds: 600,
} as const;

/** Workers for the outstanding jobs, with the buffer that is only kept while there are any. */
export function outstandingWorkers(jobs: number, concurrency: number, instanceBuffer: number): number {
  const need = Math.ceil(jobs / concurrency);
  return need + Math.min(instanceBuffer, need);
}

/**
 * Agents that exit by themselves: as many as were idle during the whole of the last `idleSeconds`. Which worker takes
 * a job is not known here; this is the count when the same ones are kept busy.
 */
function selfTermination(idleSeconds: number): (sensed: Sensed) => number {
  const idle = recent(idleSeconds);
  let firstAt: number | null = null;
  return (sensed) => {
    firstAt ??= sensed.nowSeconds;
    idle.add(sensed.nowSeconds, Math.max(0, sensed.runningWorkers - sensed.busyWorkers));
    if (sensed.nowSeconds - firstAt < idleSeconds) return 0;
    const exits = Math.max(0, smallest(idle.within(sensed.nowSeconds), 0));
    // Those that remain keep their own clocks.
    if (exits > 0) idle.change(-exits);
    return exits;
  };
}

function scaleOut(settings: Settings, workload: Workload): (sensed: Sensed, want: number) => number | null {
  const factor = setting(settings, 'outFactor');
  let outAt = -Infinity;
  return ({ nowSeconds, desiredWorkers }, want) => {
    if (nowSeconds - outAt < setting(settings, 'outCooldownSeconds')) return null;
    outAt = nowSeconds;
    const change = factor === 0 ? want - desiredWorkers : Math.ceil((want - desiredWorkers) * factor);
    return bounded(workload, desiredWorkers + change);
  };
}

function scaleIn(settings: Settings, workload: Workload): (sensed: Sensed, want: number) => number | null {
  const factor = setting(settings, 'inFactor');
  let inAt = -Infinity;
  return ({ nowSeconds, desiredWorkers }, want) => {
    if (nowSeconds - inAt < setting(settings, 'inCooldownSeconds')) return null;
    inAt = nowSeconds;
    const change = factor === 0 ? want - desiredWorkers : Math.floor((want - desiredWorkers) * factor);
    return bounded(workload, desiredWorkers + change);
  };
}

export const buildkite: Baseline = {
  name: 'buildkite',
  title: 'Buildkite agent scaler',
  source: 'buildkite/buildkite-agent-scaler scaler/scaling_calculator.go, scaler/scaler.go, template.yaml',
  knobs: [
    { name: 'instanceBuffer', values: [0, 1, 2, 4], unit: 'workers' },
    { name: 'outCooldownSeconds', values: [300, 120, 60, 0], unit: 'seconds' },
    { name: 'inCooldownSeconds', values: [0, 60, 120, 300, 600, 3600], unit: 'seconds' },
    { name: 'disableScaleIn', values: [0, 1], unit: '0 or 1' },
    { name: 'outFactor', values: [0.25, 0.5, 0, 1.5], unit: 'share of the change, 0 for all of it' },
  ],
  defaults: () => DEFAULTS,
  // It knows no wait target; outstanding jobs at once is what its binary does without settings.
  byTheBook: () => ({ ...DEFAULTS, outCooldownSeconds: 0, inCooldownSeconds: 0, disableScaleIn: 0 }),
  nativeIntervalSeconds: 10,
  readsCloudWatch: false,
  start(settings, workload) {
    const buffer = setting(settings, 'instanceBuffer');
    const disableScaleIn = setting(settings, 'disableScaleIn') !== 0;
    const out = scaleOut(settings, workload);
    const into = scaleIn(settings, workload);
    const exits = selfTermination(setting(settings, 'idleSeconds'));
    return (sensed) => {
      const { desiredWorkers, runningWorkers } = sensed;
      const jobs = sensed.visible + sensed.inFlight;
      const want = bounded(workload, outstandingWorkers(jobs, workload.concurrency, buffer));
      const gone = disableScaleIn ? exits(sensed) : 0;
      let wanted: number | null = null;
      if (want > desiredWorkers && want > runningWorkers) wanted = out(sensed, want);
      else if (want < desiredWorkers && disableScaleIn) wanted = bounded(workload, desiredWorkers - gone);
      else if (want < desiredWorkers) wanted = into(sensed, want);
      return wanted === desiredWorkers ? null : wanted;
    };
  },
};
