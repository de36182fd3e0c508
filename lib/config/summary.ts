/** What was understood of a deployment's settings, for the eyes of whoever deploys it. */
import type { QueueSource, Strategy, Target } from '../domain.ts';
import type { Deployment } from './deployment.ts';
import { queueUrlParts } from './values.ts';

/** One line per target, with what it may do first: `LIVE` changes workers, `DRY RUN` does not. */
export function summaryLines({ dryRun, targets }: Pick<Deployment, 'dryRun' | 'targets'>): readonly string[] {
  return targets.map((target) => `${dryRun ? 'DRY RUN' : 'LIVE'}  ${targetText(target)}`);
}

function targetText({ id, stackUid, processName, source, policy }: Target): string {
  const { minWorkers, maxWorkers, strategy } = policy;
  const workers = `${minWorkers} to ${maxWorkers} workers`;
  return `${id}: process ${processName} of stack ${stackUid}, ${queueText(source)}, ${workers}, ${strategyText(strategy)}`;
}

function queueText(source: QueueSource): string {
  switch (source.kind) {
    case 'sqs': {
      const queue = queueUrlParts(source.queueUrl);
      return `queue ${queue?.queueName ?? source.queueUrl} of account ${queue?.accountId ?? '?'}`;
    }
    case 'sqs_name':
      return `queue ${source.queueName}`;
    case 'metric':
      return `metric ${source.namespace}/${source.name}`;
  }
}

function strategyText(strategy: Strategy): string {
  switch (strategy.kind) {
    case 'latency':
      return `strategy latency (${strategy.targetPercent} % of jobs wait at most ${strategy.targetSeconds} s)`;
    case 'backlog':
      return `strategy backlog (${strategy.backlogPerWorker} messages per worker)`;
    case 'step':
      return `strategy step (${strategy.steps.length} steps)`;
  }
}
