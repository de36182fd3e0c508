/** Cloud 66 as it is now, in the words of the page. */
import type { ActionView } from '../cloud66/model.ts';
import type { Cloud66Stack } from '../cloud66/stack.ts';
import { LOCAL_PROCESS, LOCAL_STACK_UID } from '../local/local-stack.ts';
import type { Visitor } from '../local/visitor.ts';
import type { World } from '../local/world.ts';
import type { Place, PlaceAction, PlaceServer } from './state.ts';

const SHOWN_ACTIONS = 6;

/** What to look at; `startMs` is simulated time at which the run began. */
export interface PlaceOptions {
  readonly world: World;
  readonly visitor: Visitor;
  readonly startMs: number;
  readonly limits: Place['limits'];
}

/** The stack of the local run. */
export function placeOf({ world, visitor, startMs, limits }: PlaceOptions): Place {
  const stack = world.account.stack(LOCAL_STACK_UID);
  const { name, status } = stack.view();
  return {
    stackName: name,
    status: status.replaceAll('_', ' '),
    processName: LOCAL_PROCESS,
    servers: serversOf(stack),
    actions: stack
      .actions()
      .slice(0, SHOWN_ACTIONS)
      .map((action) => actionOf(action, startMs)),
    limits,
    outage: visitor.hasOutage(),
    failsNext: visitor.failsNext(),
    deploying: visitor.isDeploying(),
  };
}

function serversOf(stack: Cloud66Stack): readonly PlaceServer[] {
  const counts = stack.processes().find((process) => process.name === LOCAL_PROCESS)?.counts ?? {};
  return stack.servers().map(({ uid, name, health }) => ({
    uid,
    name,
    healthy: health !== 'failed',
    ordered: counts[uid] ?? 0,
    running: stack.workers(LOCAL_PROCESS, uid),
  }));
}

function actionOf(action: ActionView, startMs: number): PlaceAction {
  const seconds = (atMs: number) => Math.max(0, Math.round((atMs - startMs) / 1000));
  return {
    id: action.id,
    what: whatOf(action),
    by: action.startedVia === 'api' ? 'autoscaler' : 'person',
    startedAtSeconds: seconds(action.startedAtMs),
    finishedAtSeconds: action.finishedAtMs === null ? null : seconds(action.finishedAtMs),
    success: action.success,
  };
}

function whatOf({ kind, startedVia, requestedCounts }: ActionView): string {
  if (kind !== 'process_scale') return kind === 'stack_redeploy' ? 'Deployment' : kind.replaceAll('_', ' ');
  const total = Object.values(requestedCounts).reduce((sum, count) => sum + count, 0);
  return startedVia === 'api' ? `Scale to ${total}` : `One server to ${total}`;
}
