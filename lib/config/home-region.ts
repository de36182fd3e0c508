/** Where a deployment belongs when nobody says it: where its queues are, since it can read none elsewhere. */
import type { Environment } from './env.ts';
import { variableText } from './env.ts';
import { SETTINGS } from './schema.ts';
import { queueUrlParts } from './values.ts';

const FALLBACK = 'us-east-1';

/** The one region that the QUEUE_URL settings name; us-east-1 when they name none, or several. */
export function homeRegion(environment: Environment): string {
  const urls = Object.keys(environment).filter((name) => /(^|_)QUEUE_URL$/.test(name) && !isTemplates(name));
  const regions = urls.map((name) => queueUrlParts(variableText(environment, name) ?? '')?.region ?? null);
  const named = new Set(regions.filter((region) => region !== null));
  const [region = FALLBACK] = named.size === 1 ? named : [];
  return region;
}

function isTemplates(name: string): boolean {
  return name in SETTINGS && name !== 'QUEUE_URL';
}
