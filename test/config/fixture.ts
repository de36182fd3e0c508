import { InvalidInputError, type Problem } from '../../lib/errors.ts';

/** The least that the scale function needs in its environment. */
export const MINIMAL = {
  ACTIONS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/actions.fifo',
  ACTIONS_DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/actions-dead.fifo',
  CLOUD66_TOKEN_PARAMETER: '/cloud66/token',
  STACK_UID: '5999b763474b0eafa5fafb64bff0ba80',
  PROCESS_NAME: 'worker',
  QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
};

/** Two targets with settings of their own. */
export const TWO_TARGETS = {
  ...MINIMAL,
  PROCESS_NAME: undefined,
  QUEUE_URL: undefined,
  TARGETS: 'mailer, night-reports',
  MAILER_PROCESS_NAME: 'mailer',
  MAILER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mail',
  NIGHT_REPORTS_PROCESS_NAME: 'reports',
  NIGHT_REPORTS_QUEUE_NAME: 'reports.fifo',
};

/** The problems that a parse throws; fails when it does not throw. */
export function problemsOf(parse: () => unknown): readonly Problem[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  throw new Error('expected an InvalidInputError, but the configuration was accepted');
}

/** As `problemsOf`, one `field: message` line each. */
export function problemLines(parse: () => unknown): readonly string[] {
  return problemsOf(parse).map(({ field, message }) => `${field}: ${message}`);
}
