/** Records of one stack in a batch share what is read for them: one action log and one process list instead of one each. */
import type { ActionRecord } from '../domain.ts';
import type { ActionLook, ProcessHost } from '../reconcile/ports.ts';

type HostOf = (record: ActionRecord) => ProcessHost;

/** Hosts for the records of one batch; a record that is alone on its stack has its host as it is. */
export function sharingHosts(records: readonly ActionRecord[], hostOf: HostOf, signal: AbortSignal): HostOf {
  const shared = new Map<string, ProcessHost>();
  for (const [key, its] of Map.groupBy(records, keyOf)) {
    const [first, ...others] = its;
    if (first !== undefined && others.length > 0)
      shared.set(key, sharedHost(first.stackUid, its, hostOf(first), signal));
  }
  return (record) => shared.get(keyOf(record)) ?? hostOf(record);
}

function keyOf({ stackUid, tokenParameter }: ActionRecord): string {
  return `${stackUid} ${tokenParameter ?? ''}`;
}

function sharedHost(
  stackUid: string,
  records: readonly ActionRecord[],
  host: ProcessHost,
  signal: AbortSignal,
): ProcessHost {
  const looks = lookAtAll(stackUid, records, host, signal);
  const names = [...new Set(records.map(({ processName }) => processName))];
  let placements: ReturnType<ProcessHost['placements']> | null = null;
  return {
    ...host,
    action: async (uid, actionId, itsSignal) =>
      (await looks).get(actionId) ?? (await host.action(uid, actionId, itsSignal)),
    // Only when all actions were looked at: a list from before an action was seen finished may show the workers before it.
    placements: async (uid) => {
      await looks;
      placements ??= host.placements(uid, names, signal);
      return await placements;
    },
  };
}

/** Those actions that the first page of the log shows; the others are asked for one by one. */
async function lookAtAll(
  stackUid: string,
  records: readonly ActionRecord[],
  host: ProcessHost,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ActionLook>> {
  const log = await host.actions(stackUid, signal);
  if (log.kind !== 'ok') return new Map();
  const wanted = new Set(records.map(({ actionId }) => actionId));
  const found = log.value.filter(({ id }) => wanted.has(id));
  return new Map(found.map((action) => [action.id, { kind: 'found', action }]));
}
