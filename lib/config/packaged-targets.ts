/** The targets of a fleet as a function gets them: a JSON file of variables beside its code, under its environment. */
import { readFileSync } from 'node:fs';
import { asError, InvalidInputError } from '../errors.ts';
import { type Environment, variableText } from './env.ts';

/** Set by packaging when there is such a file. */
const FILE_VARIABLE = 'TARGETS_FILE';
/** Its name, beside the function's code; packaging never writes another. */
export const PACKAGED_TARGETS = 'targets.json';

/**
 * The environment with the packaged targets under it: a variable that is set wins.
 *
 * @param code address of the function's code, beside which the file is
 * @throws InvalidInputError when the file that packaging announced cannot be used
 */
export function withPackagedTargets(environment: Environment, code: string): Environment {
  if (variableText(environment, FILE_VARIABLE) === null) return environment;
  try {
    const variables: unknown = JSON.parse(readFileSync(new URL(PACKAGED_TARGETS, code), 'utf8'));
    if (typeof variables !== 'object' || variables === null) throw new TypeError('an object expected');
    return { ...variables, ...environment };
  } catch (error) {
    const message = `${PACKAGED_TARGETS} cannot be used: ${asError(error).message}`;
    throw new InvalidInputError('configuration', [{ field: FILE_VARIABLE, message }]);
  }
}
