/** `--set`: settings of ours by their names in the environment, and knobs of single policies. */
import type { Settings } from '../backtest/baselines/baseline.ts';
import type { ReplayPolicy } from '../backtest/policies.ts';
import { SETTINGS, type Setting, type SettingName } from '../config/schema.ts';
import type { OptionReader } from './problems.ts';

/** Settings that other options decide, and which. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  MIN_WORKERS: 'use --min: the bounds are the same for every policy',
  MAX_WORKERS: 'use --max: the bounds are the same for every policy',
  STRATEGY: 'use --policy: each strategy is flown under its own name',
};
/** Where a deployment is and how it runs: nothing that a decision depends on. */
const NOT_REPLAYED_GROUPS: readonly string[] = ['Cloud 66', 'Targets', 'Set by the template', 'Alarm'];
const NOT_REPLAYED: readonly string[] = [
  'QUEUE_URL',
  'QUEUE_NAME',
  'METRIC',
  'DRY_RUN',
  'LOG_LEVEL',
  'RESERVED_CONCURRENCY',
  'ACTION_FIRST_LOOK_SECONDS',
];

/** Names that `--set` takes. */
function replayedNames(): readonly string[] {
  const rows: readonly (readonly [string, Setting])[] = Object.entries(SETTINGS);
  return rows
    .filter(([name, { group }]) => !NOT_REPLAYED_GROUPS.includes(group) && !NOT_REPLAYED.includes(name))
    .map(([name]) => name)
    .filter((name) => !(name in ELSEWHERE));
}

interface Sets {
  readonly overrides: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, Settings>>;
}

/** Reads `NAME=VALUE` and `policy.knob=VALUE`. */
export function readSets(texts: readonly string[], policies: readonly ReplayPolicy[], reader: OptionReader): Sets {
  const overrides: Record<string, string> = {};
  const settings: Record<string, Record<string, number>> = {};
  for (const text of texts) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === '') reader.add('set', `found "${text}", expected NAME=VALUE`);
    else if (name.includes('.')) readKnob(name, value, policies, settings, reader);
    else if (isGoodSetting(name, value, reader)) overrides[name] = value;
  }
  const isOursFlown = policies.some(({ ours }) => ours);
  if (Object.keys(overrides).length > 0 && policies.length > 0 && !isOursFlown) {
    reader.add('set', `${Object.keys(overrides).join(', ')} would change nothing: --policy names none of ours`);
  }
  return { overrides, settings };
}

function isGoodSetting(name: string, value: string, reader: OptionReader): boolean {
  const elsewhere = ELSEWHERE[name];
  const names = replayedNames();
  if (elsewhere !== undefined) reader.add('set', `${name}: ${elsewhere}`);
  else if (!names.includes(name)) {
    reader.add('set', `${name} is not a setting that a backtest can change; those are ${names.join(', ')}`);
  } else {
    const { type } = SETTINGS[name as SettingName];
    if (type.parse(value.trim()) !== null) return true;
    reader.add('set', `${name}: found "${value}", expected ${type.expected}`);
  }
  return false;
}

function readKnob(
  path: string,
  value: string,
  policies: readonly ReplayPolicy[],
  settings: Record<string, Record<string, number>>,
  reader: OptionReader,
): void {
  const dot = path.indexOf('.');
  const [policyName, knobName] = [path.slice(0, dot), path.slice(dot + 1)];
  const policy = policies.find(({ name }) => name === policyName);
  if (policy === undefined) {
    reader.add('set', `${path}: "${policyName}" is not among the policies that are flown`);
    return;
  }
  const names = policy.knobs.map(({ name }) => name);
  if (!names.includes(knobName)) {
    reader.add('set', `${path}: ${policyName} has the knobs ${names.join(', ') || '(none)'}`);
    return;
  }
  if (value.trim() === '' || !Number.isFinite(Number(value))) {
    reader.add('set', `${path}: found "${value}", expected a number`);
    return;
  }
  settings[policyName] = { ...settings[policyName], [knobName]: Number(value) };
}
