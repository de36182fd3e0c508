/** A program for serverless.yml: prints the region to deploy to when neither an option nor the environment names one. */
import { readEnvironment } from '../lib/config/env.ts';
import { readEnvFile } from '../lib/config/env-file.ts';
import { homeRegion } from '../lib/config/home-region.ts';

const environment = readEnvironment();
// What is wrong with the file is template.ts's to tell.
const variables = readEnvFile(process.cwd(), environment)?.variables;
process.stdout.write(homeRegion({ ...variables, ...environment }));
