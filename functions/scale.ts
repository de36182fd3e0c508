/** Deployed entry point: a CloudWatch alarm or the minute tick says "look", see lib/lambda/look.ts. */
import { wireScale } from '../lib/lambda/wire.ts';

export const handler = wireScale();
