/** A program for serverless.yml: prints the region to deploy to when neither an option nor the environment names one. */
import { readEnvironment } from '../lib/config/env.ts';
import { readEnvFile } from '../lib/config/env-file.ts';
import { homeRegion } from '../lib/config/home-region.ts';
import { readTargetsFile } from '../lib/config/targets-file.ts';

const environment = readEnvironment();
// What is wrong with the files is template.ts's to tell.
const own = { ...readEnvFile(process.cwd(), environment)?.variables, ...environment };
process.stdout.write(homeRegion({ ...readTargetsFile(process.cwd(), own)?.variables, ...own }));
