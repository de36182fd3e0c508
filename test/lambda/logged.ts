/** A logger whose records can be read back. */
import { createLogger } from '../../lib/telemetry/logger.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';
import { NOW } from '../support/observations.ts';

/** A record, as far as these tests look. */
interface LogRecord {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export function logged() {
  const records: LogRecord[] = [];
  const logger = createLogger({
    level: 'debug',
    write: (line) => records.push(JSON.parse(line) as LogRecord),
    clock: { nowMs: () => NOW },
    redactor: createRedactor(),
  });
  return { logger, records };
}
