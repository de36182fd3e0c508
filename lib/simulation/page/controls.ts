/** The buttons of the page: a name and a small body become a move of the visitor. */
import * as v from 'valibot';
import { AutoscalerError } from '../../errors.ts';
import type { Visitor } from '../local/visitor.ts';

/** What the page may do to a run. */
export type Hands = Pick<Visitor, 'addJobs' | 'deploy' | 'setOutage' | 'setFailsNext' | 'changeByHand'>;

/** Carries out one control; resolves with a sentence on what was done. */
type Control = (hands: Hands, body: unknown) => string | Promise<string>;

const Count = v.object({ count: v.number() });
const Switch = v.object({ on: v.boolean() });
const ByHand = v.object({ serverUid: v.string(), count: v.number() });

const CONTROLS: ReadonlyMap<string, Control> = new Map<string, Control>([
  ['jobs', (hands, body) => hands.addJobs(parsed(Count, body).count)],
  ['deployment', (hands) => hands.deploy()],
  ['outage', (hands, body) => hands.setOutage(parsed(Switch, body).on)],
  ['failing-action', (hands, body) => hands.setFailsNext(parsed(Switch, body).on)],
  [
    'by-hand',
    (hands, body) => {
      const { serverUid, count } = parsed(ByHand, body);
      return hands.changeByHand(serverUid, count);
    },
  ],
]);

/** The control of that name; undefined when there is none. It throws AutoscalerError with a sentence for the visitor. */
export function controlOf(name: string): Control | undefined {
  return CONTROLS.get(name);
}

function parsed<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  throw new AutoscalerError(
    result.issues.map((issue) => `${v.getDotPath(issue) ?? 'body'}: ${issue.message}`).join(' '),
  );
}
