/** A target's process and the servers that it may run on, as Cloud 66 lists them. Pure. */
import type { ProcessReply, ServerReply } from '../cloud66/schema.ts';
import type { Target } from '../domain.ts';
import { workersThat } from '../policy/wording.ts';
import { type CheckResult, fail, listed, notChecked, ok, type Subject, warn } from './check.ts';

/** Does the process exist, and does it run? */
export function processResult(
  subject: Subject,
  { processName, policy }: Target,
  processes: readonly ProcessReply[],
): CheckResult {
  const process = processes.find(({ name }) => name === processName);
  if (process === undefined) {
    const detail = `the stack has no process ${processName}; it has ${listed(processes.map(({ name }) => name))}`;
    return fail(subject, detail, 'Check PROCESS_NAME; it is case-sensitive, as in the Procfile.');
  }
  const paused = sumOf(process.pausedCounts);
  if (paused > 0) {
    return warn(
      subject,
      `${workersThat(paused, 'is', 'are')} paused`,
      'Paused workers are left alone until they are resumed.',
    );
  }
  const count = sumOf(process.counts);
  const { minWorkers, maxWorkers } = policy;
  const outside = count < minWorkers || count > maxWorkers;
  const note = outside ? `, which is outside ${minWorkers} to ${maxWorkers} and will be corrected` : '';
  return ok(subject, `${count} workers${note}`);
}

/** The number by which Cloud 66 says that a server has failed. */
const FAILED = 4;

/** Process lists speak of server names, scale calls of uids: every name must be found, SERVERS included. */
export function serversResult(
  subject: Subject,
  { processName, policy }: Target,
  processes: readonly ProcessReply[],
  servers: readonly ServerReply[],
): CheckResult {
  const process = processes.find(({ name }) => name === processName);
  if (process === undefined) return notChecked(subject, `there is no process ${processName}`);
  const names = servers.map(({ name }) => name);
  const unmapped = [...process.counts.keys()].filter((name) => !names.includes(name));
  if (unmapped.length > 0) {
    const detail = `the process runs on ${listed(unmapped)}, which the server list does not have: ${listed(names)}`;
    return fail(subject, detail, 'Was a server just renamed or removed? Redeploy the stack, so that both lists agree.');
  }
  const wanted = policy.servers ?? [];
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const detail = `SERVERS names ${listed(missing)}; the stack has ${listed(names)}`;
    return fail(
      subject,
      detail,
      'Write the names as Cloud 66 has them now; renamed servers keep nothing of the old one.',
    );
  }
  const allowed = policy.servers ?? [...process.counts.keys()];
  const failed = servers.filter(({ name, healthState }) => allowed.includes(name) && Number(healthState) === FAILED);
  if (failed.length > 0) {
    const detail = `${listed(failed.map(({ name }) => name))} failed`;
    return warn(subject, detail, 'No worker is started there until Cloud 66 calls the server healthy.');
  }
  return ok(subject, `${listed(allowed)}: all have a uid`);
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
