/** Looks at a running world every few seconds and hears what it says, for the feed. */

import { LOCAL_PROCESS, LOCAL_QUEUE, LOCAL_STACK_UID } from '../local/local-stack.ts';
import type { Onlooker } from '../local/run.ts';
import type { Visitor } from '../local/visitor.ts';
import type { World } from '../local/world.ts';
import { alarmEntry, type Happening, happeningOf, interventionEntry } from './entries.ts';
import { MinuteWaits } from './minute-waits.ts';
import { placeOf } from './place.ts';
import type { Feed } from './state.ts';

/** Simulated time between two samples: a few of them in a second at the usual speed. */
export const SAMPLE_SECONDS = 4;

/** What the newest decision says about need and limits. */
interface Wish {
  readonly backlogPerWorker: number | null;
  readonly countDelayed: boolean;
  readonly recommendedCount: number | null;
  readonly limits: { readonly min: number; readonly max: number };
}

/** An onlooker that writes everything into the feed. */
export function watchRun(feed: Feed, visitor: Visitor): Onlooker {
  let startMs = Date.now();
  let timer: NodeJS.Timeout | undefined;
  let wish: Wish | null = null;
  const now = () => Math.max(0, Math.round((Date.now() - startMs) / 100) / 10);
  const add = (happening: Happening | null) => {
    if (happening) feed.addEntry({ ...happening, atSeconds: now() });
  };
  visitor.listen((text) => add(interventionEntry(text)));

  return {
    begin(world) {
      startMs = Date.now();
      const waits = new MinuteWaits(world.consumers.get(LOCAL_PROCESS)?.waitSeconds ?? []);
      const look = () => {
        waits.look(now());
        feed.addSample({ atSeconds: now(), ...depthAndWorkers(world, wish), ...waits.quantiles(), ...faults(visitor) });
        feed.setPlace(placeOf({ world, visitor, startMs, limits: wish?.limits ?? null }));
      };
      timer = setInterval(look, SAMPLE_SECONDS * 1000);
      visitor.listen(look);
      look();
      feed.setRun({ phase: 'running' });
    },
    log(from, name, line) {
      wish = wishOf(line) ?? wish;
      add(happeningOf(from, name, line));
    },
    alarm: (name, state) => add(alarmEntry(name, state)),
    end() {
      clearInterval(timer);
      feed.setRun({ phase: 'over' });
    },
  };
}

function depthAndWorkers({ cloud, account }: World, wish: Wish | null) {
  const { visible, inFlight, delayed } = cloud.queues.depth(LOCAL_QUEUE);
  const stack = account.stack(LOCAL_STACK_UID);
  const books = stack.processes().find(({ name }) => name === LOCAL_PROCESS)?.counts ?? {};
  const backlog = visible + inFlight + (wish?.countDelayed ? delayed : 0);
  return {
    waiting: visible,
    inFlight,
    running: stack.workers(LOCAL_PROCESS),
    ordered: Object.values(books).reduce((sum, count) => sum + count, 0),
    needed: wish?.backlogPerWorker ? Math.ceil(backlog / wish.backlogPerWorker) : (wish?.recommendedCount ?? null),
  };
}

function faults(visitor: Visitor) {
  return { outage: visitor.hasOutage(), deploying: visitor.isDeploying() };
}

interface DecisionLine {
  readonly event?: string;
  readonly decision?: { readonly recommendedCount: number | null } | null;
  readonly input?: {
    readonly policy: {
      readonly minWorkers: number;
      readonly maxWorkers: number;
      readonly countDelayed: boolean;
      readonly strategy: { readonly kind: string; readonly backlogPerWorker?: number };
    };
  };
}

/** Null for lines that are not a decision. */
function wishOf(line: string): Wish | null {
  if (!line.includes('"event":"decision"')) return null;
  // The line is our own function's, whose records have tests of their own.
  const { decision, input } = JSON.parse(line) as DecisionLine;
  if (!input) return null;
  const { minWorkers, maxWorkers, countDelayed, strategy } = input.policy;
  return {
    backlogPerWorker: strategy.kind === 'backlog' ? (strategy.backlogPerWorker ?? null) : null,
    countDelayed,
    recommendedCount: decision?.recommendedCount ?? null,
    limits: { min: minWorkers, max: maxWorkers },
  };
}
