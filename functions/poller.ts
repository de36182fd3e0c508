/** Deployed entry point: action records from SQS are followed to their end, see lib/lambda/records.ts. */
import { wirePoller } from '../lib/lambda/wire.ts';

export const handler = wirePoller();
