/**
 * Installs scaled time before anything else runs: `node --import ./lib/simulation/time-preload.ts program.mjs`, with
 * the parameters in the environment as `timeEnvironment` writes them. Does nothing where they are absent.
 */
import { installScaledTime, timeSettingsFrom } from './time.ts';

const settings = timeSettingsFrom(process.env);
if (settings !== null) {
  installScaledTime(settings);
}
