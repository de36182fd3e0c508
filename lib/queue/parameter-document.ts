/**
 * A document in an SSM parameter that people change, two of them perhaps at once. The store has no conditional write, but it
 * numbers versions and keeps the old ones: a write that was not the next one went over somebody else's, which is then fetched
 * and changed instead. For the command line; deployed functions only read.
 * Source: AWS Systems Manager API Reference, GetParameter (`NAME:VERSION`) and PutParameter.
 */
import { AutoscalerError } from '../errors.ts';
import { withTimeLimit } from './connection.ts';
import { fieldsOf } from './json-fields.ts';
import { askParameterStore, isParameterMissing, type ParameterStorePlace } from './parameter.ts';
import { detailOf } from './problems.ts';

/** Writers that may be in each other's way before one gives up. */
const MAX_ATTEMPTS = 5;
const LIMIT_SECONDS = 20;

interface Versioned {
  readonly text: string | null;
  readonly version: number;
}

/**
 * Replaces the document by what `change` makes of it (null = there is none yet), so that nobody's change is lost.
 * @throws AutoscalerError that names the parameter and the problem; what `change` throws is passed on
 */
export async function changeParameterDocument(
  place: ParameterStorePlace,
  name: string,
  change: (document: string | null) => string,
  signal: AbortSignal,
): Promise<void> {
  const ask = async <T>(work: (limited: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await withTimeLimit('PutParameter', LIMIT_SECONDS, signal, work);
    } catch (error) {
      throw new AutoscalerError(detailOf(`SSM parameter ${name}`, error), { cause: error });
    }
  };
  let base = await ask((limited) => get(place, name, null, limited));
  for (let made = 0; made < MAX_ATTEMPTS; made += 1) {
    const next = change(base.text);
    const version = await ask((limited) => put(place, name, next, limited));
    if (version === base.version + 1) return;
    base = { ...(await ask((limited) => get(place, name, version - 1, limited))), version };
  }
  throw new AutoscalerError(`SSM parameter ${name}: others went on changing it; look at it and try again.`);
}

async function get(
  place: ParameterStorePlace,
  name: string,
  version: number | null,
  signal: AbortSignal,
): Promise<Versioned> {
  try {
    const Name = version === null ? name : `${name}:${version}`;
    const answer = fieldsOf(await askParameterStore(place, 'GetParameter', { Name }, signal))?.Parameter;
    const { Value, Version } =
      typeof answer === 'object' && answer !== null ? ({ ...answer } as Record<string, unknown>) : {};
    if (typeof Value !== 'string' || typeof Version !== 'number') throw new TypeError('the answer holds no parameter');
    return { text: Value, version: Version };
  } catch (error) {
    if (version === null && isParameterMissing(error)) return { text: null, version: 0 };
    throw error;
  }
}

async function put(place: ParameterStorePlace, name: string, text: string, signal: AbortSignal): Promise<number> {
  const body = { Name: name, Value: text, Type: 'String', Overwrite: true };
  const answer = fieldsOf(await askParameterStore(place, 'PutParameter', body, signal));
  if (typeof answer?.Version !== 'number') throw new TypeError('the answer holds no version');
  return answer.Version;
}
