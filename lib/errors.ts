/**
 * The errors that a caller of this code treats differently from one another. Everything else is a plain Error.
 */

/** Base of all errors that this program raises on purpose; its message is safe to log and holds no secret. */
export class AutoscalerError extends Error {
  override readonly name: string = 'AutoscalerError';
}

/** One thing that is wrong with an input, by the name the user knows it under. */
export interface Problem {
  /** The setting, field or path, such as `MAILER_MAX_WORKERS` or `alarmData.alarmName`. */
  readonly field: string;
  /** What was found, what was expected. Never a secret's value. */
  readonly message: string;
}

/** Input that could not be understood. Lists every problem at once, each by its name. */
export class InvalidInputError extends AutoscalerError {
  override readonly name: string = 'InvalidInputError';
  readonly problems: readonly Problem[];

  constructor(subject: string, problems: readonly Problem[]) {
    const lines = problems.map((problem) => `  ${problem.field}: ${problem.message}`);
    super(`${subject}: ${problems.length} problem${problems.length === 1 ? '' : 's'}\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new AutoscalerError(String(thrown));
}
