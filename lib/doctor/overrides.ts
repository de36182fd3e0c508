/** Whether somebody has decided in this program's place: the first thing to know when it does not scale. */
import { overrideText } from '../policy/override.ts';
import { type CheckResult, type Examined, fail, listed, ok, warn } from './check.ts';

const OVERRIDES = { id: 'overrides', title: 'Nobody has overridden the autoscaler' };

/** Overrides in force are worth a look; ones that cannot be read keep everything from being changed. */
export async function overridesResult({ overrides, clock, signal }: Examined): Promise<CheckResult> {
  const reading = await overrides.read(signal);
  if (reading.kind !== 'ok') {
    const advice =
      'Nothing is changed until they can be read: mend the SSM parameter, or delete it to end all overrides.';
    return fail(OVERRIDES, reading.detail, advice);
  }
  const inForce = [...reading.value].filter(([, { untilMs }]) => clock.nowMs() < untilMs);
  if (inForce.length === 0) return ok(OVERRIDES, 'no override is in force');
  const texts = inForce.map(([id, one]) => `${id === '*' ? 'all targets' : id}: ${overrideText(one)}`);
  return warn(OVERRIDES, listed(texts), 'It ends by itself; `npm run override -- TARGET --clear` ends it now.');
}
