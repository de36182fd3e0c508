/** Tuned settings for people: a block for `.env`, and the choices that were left. */
import { styleText } from 'node:util';
import { OUR_STRATEGIES } from '../backtest/policies.ts';
import { percent, seconds, times } from '../backtest/report/verdict.ts';
import type { KnobEffect, TriedSetting, TunedPolicy, TuneResult } from '../backtest/tune.ts';
import { SETTINGS, type Setting } from '../config/schema.ts';

/** The `.env` block of one of ours; null for a peer, which is not set by our environment. */
export function envBlock(
  tuned: TunedPolicy,
  result: TuneResult,
  overrides: Readonly<Record<string, string>>,
): string | null {
  const strategy = OUR_STRATEGIES.find(({ name }) => name === tuned.policy);
  if (strategy === undefined) return null;
  const { workload } = result;
  const environment = {
    ...strategy.environment(tuned.chosen.settings, workload),
    ...overrides,
    MIN_WORKERS: String(workload.minWorkers),
    MAX_WORKERS: String(workload.maxWorkers),
  };
  const lines = Object.entries(environment).flatMap(([name, value]) => [
    ...wrapped(commentOf(name, tuned, overrides)),
    `${name}=${value}`,
  ]);
  return [...expectation(tuned, result).flatMap(wrapped), ...lines].join('\n');
}

const COMMENT_WIDTH = 110;

/** A comment in lines of a readable length. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > COMMENT_WIDTH) {
      lines.push(line);
      line = '#  ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function expectation({ chosen, qualified }: TunedPolicy, { slo, trace, seeds }: TuneResult): readonly string[] {
  const runs = seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`;
  const warning = qualified ? [] : ['NO SETTING THAT WAS TRIED KEEPS THE TARGET; this one comes nearest.'];
  return [
    `Found by npm run tune on ${trace.name} (${trace.jobs} jobs, ${runs}). Expected on such traffic:`,
    `cost ${times(chosen.costRatio)} the work, ${percent(chosen.lateShare)} of the jobs later than ${slo.waitSeconds} s ` +
      `(${percent(1 - slo.share)} allowed), p95 ${seconds(chosen.p95)}, ${chosen.actionsPerHour.toFixed(1)} actions/h, ` +
      `up to ${chosen.maxWorkers} workers.`,
    ...warning,
  ];
}

/** What a line does, and what it is expected to do here where that was measured. */
function commentOf(
  name: string,
  { effects, chosen }: TunedPolicy,
  overrides: Readonly<Record<string, string>>,
): string {
  const setting: Setting | undefined = SETTINGS[name as keyof typeof SETTINGS];
  const doc = setting?.doc ?? '';
  if (name in overrides) return `${doc} Given, not tuned.`;
  if (name === 'MAX_WORKERS') return `${doc} The bound of the backtest; it reached ${chosen.maxWorkers}.`;
  if (name === 'MIN_WORKERS') return `${doc} The bound of the backtest.`;
  // The list of steps has two knobs of its own.
  const own = effects.filter(({ knob }) => knob === name || (name === 'STEPS' && knob.startsWith('STEP_')));
  const usual = name in chosen.settings ? ' Left at its default.' : '';
  return own.length === 0 ? `${doc}${usual}` : `${doc} ${own.map((effect) => effectText(effect, chosen)).join(' ')}`;
}

function effectText({ knob, value, defaultValue, withDefault }: KnobEffect, chosen: TriedSetting): string {
  const cost = change(chosen.costRatio / withDefault.costRatio - 1);
  const late = `${percent(withDefault.lateShare)} to ${percent(chosen.lateShare)}`;
  return `${knob} ${value} instead of ${defaultValue ?? 'its default'}: cost ${cost}, late from ${late}.`;
}

function change(share: number): string {
  if (Math.abs(share) < 0.005) return 'unchanged';
  return `${share > 0 ? '+' : '−'}${percent(Math.abs(share))}`;
}

/** The whole answer. */
export function tuneText(
  result: TuneResult,
  notes: readonly string[],
  overrides: Readonly<Record<string, string>>,
): string {
  const { slo, trace, runs, budget } = result;
  const parts = [
    result.complete ? '' : `${styleText('red', 'PARTIAL RESULT')}: stopped early; fewer settings were tried.\n`,
    `${trace.name}: ${runs} runs, up to ${budget} settings a policy. Target: ${slo.waitSeconds} s for ${percent(slo.share)} of the jobs.`,
    ...result.policies.map((tuned) => policyText(tuned, result, overrides)),
    result.policies.length === 0 ? '\nNothing was flown to its end.' : '',
    notes.length === 0 ? '' : `\nAbout the traffic:\n${notes.map((note) => `  - ${note}`).join('\n')}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function policyText(tuned: TunedPolicy, result: TuneResult, overrides: Readonly<Record<string, string>>): string {
  const block = envBlock(tuned, result, overrides) ?? settingsText(tuned.chosen);
  const kept = tuned.qualified
    ? `the cheapest of ${tuned.tried} settings that keeps the target`
    : styleText('red', `none of ${tuned.tried} settings keeps the target; the nearest`);
  const rows = tuned.pareto.map((tried) => row(tried, tried === tuned.chosen ? '*' : ' '));
  return [
    `\n${styleText('bold', tuned.policy)}: ${kept}\n`,
    block,
    '\nCost against wait (* chosen; settings that are neither cheaper nor faster are left out):',
    ...(tuned.pareto.includes(tuned.chosen) ? [] : [row(tuned.chosen, '*')]),
    ...rows,
    ...(tuned.defaults === null ? [] : [row(tuned.defaults, 'd')]),
    tuned.defaults === null ? '' : '(d: the defaults)',
  ].join('\n');
}

function row(tried: TriedSetting, mark: string): string {
  const figures = [times(tried.costRatio), `${percent(tried.lateShare)} late`, `p95 ${seconds(tried.p95)}`];
  return `${mark} ${figures.map((figure) => figure.padStart(12)).join('')}   ${settingsText(tried)}`;
}

function settingsText({ settings }: TriedSetting): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
