/** What a dry run writes down of every look, quiet ones included: from it `npm run shadow-report` tells what would have been. */
import { totalWorkers } from '../policy/distribute.ts';
import { serviceSeconds } from '../policy/recommend/latency-rates.ts';
import type { Reporter } from '../reconcile/ports.ts';
import type { Logger } from '../telemetry/logger.ts';

type Decided = Parameters<Reporter['decided']>[0];

/** A reporter that also writes one short record per look. Only in a dry run placements know two counts. */
export function withShadowRecords(reporter: Reporter, logger: Logger): Reporter {
  return {
    ...reporter,
    decided(event) {
      reporter.decided(event);
      const fields = shadowFields(event);
      if (fields === null) return;
      const { targetId, virtualCount, actualCount } = fields;
      logger.info(`${targetId}: ${virtualCount} virtual workers, ${actualCount} real ones`, fields);
    },
  };
}

function shadowFields({ targetId, input, result }: Decided) {
  const { observation, policy } = input;
  const { placement, backlog, rates } = observation;
  if (placement.kind !== 'ok' || placement.value.actualCount === undefined || backlog.kind !== 'ok') return null;
  const { strategy } = policy;
  const isLatency = strategy.kind === 'latency';
  return {
    event: 'shadow',
    targetId,
    virtualCount: totalWorkers(placement.value),
    actualCount: placement.value.actualCount,
    visible: backlog.value.visible,
    inFlight: backlog.value.inFlight,
    // Null: nobody has measured yet how long a job takes.
    jobSeconds: isLatency && rates.kind === 'ok' ? serviceSeconds(strategy, rates.value) : null,
    jobsPerWorker: isLatency ? strategy.jobsPerWorker : 1,
    ordered: result.kind === 'dry_run' ? result.decision.desiredCount : null,
  };
}
