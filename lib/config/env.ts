/** The only reader of `process.env` in what is deployed. Everything else takes the environment as an argument. */

/** Variables by name, as a process has them. An empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process, as it is now. */
export function readEnvironment(): Environment {
  return { ...process.env };
}

/** A variable's text without the space around it; null when it is not set, empty or blank. */
export function variableText(environment: Environment, variable: string): string | null {
  const text = environment[variable]?.trim() ?? '';
  return text === '' ? null : text;
}
