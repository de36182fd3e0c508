/** The report: one HTML page that carries everything in itself and asks nobody for anything. Pure: text in, text out. */
import { REASONS } from '../../policy/reasons.ts';
import type { BacktestResult, PolicyResult } from '../run.ts';
import { pageFrame, type ReportAssets } from './frame.ts';
import { escaped, listMarkup, tableMarkup } from './markup.ts';
import { paretoMarkup } from './pareto.ts';
import type { Recording } from './recording.ts';
import { oursOf, percent, ranked, seconds, times, verdictOf } from './verdict.ts';

export interface ReportInput {
  readonly result: BacktestResult;
  readonly recording: Recording | null;
  readonly losses: readonly string[];
  readonly notes: readonly string[];
  readonly settingsFrom: 'defaults' | 'book';
  /** The command line that repeats it, without `npm run`. */
  readonly command: readonly string[];
}

/** The page. @throws RangeError when an asset would end the element it stands in. */
export function renderReport(input: ReportInput, assets: ReportAssets): string {
  const { result } = input;
  const body = `${header(result)}
<main>
${overview(result)}
${timeline(input)}
${closing(input)}
</main>`;
  return pageFrame({ title: `Backtest: ${result.trace.name}`, body, data: pageInput(input) }, assets);
}

function header(result: BacktestResult): string {
  const { trace, slo, league, seeds, workload, complete } = result;
  const facts = [
    `${trace.jobs.toLocaleString('en-US')} jobs in ${seconds(trace.durationSeconds)}`,
    `${workload.jobSeconds} s a job`,
    `${workload.minWorkers} to ${workload.maxWorkers} workers`,
    `target ${seconds(slo.waitSeconds)} for ${percent(slo.share)}`,
    league === 'N' ? 'league N: each as often as at home' : 'league E: all on one minute tick',
    seeds.length === 1 ? `seed ${seeds[0]}` : `mean of ${seeds.length} seeds`,
  ];
  const partial = complete
    ? ''
    : '<p class="partial" role="alert">Partial result: the run was stopped early. Policies may be missing or cut short.</p>';
  const [first, second] = verdictOf(result);
  return `<header>
<h1>Backtest: ${escaped(trace.name)}</h1>
<p class="facts">${facts.map((fact) => `<span>${escaped(fact)}</span>`).join(' ')}</p>
${partial}<p class="verdict">${escaped(first)} ${escaped(second)}</p>
</header>`;
}

function overview(result: BacktestResult): string {
  const ours = oursOf(result.policies);
  const rows = ranked(result.policies).map((policy) => ({
    cells: cellsOf(policy),
    className: policy === ours ? 'ours' : policy.meetsSlo ? '' : 'misses',
  }));
  const head = ['Policy', 'Cost', 'Late', 'p50', 'p95', 'p99', 'Longest', 'Act./h', 'Max', 'Target'];
  return `<section class="overview">
<div><h2>Cost against wait</h2>${paretoMarkup(result)}
<p class="hint">Down and left is better. Hollow marks miss the target; squares know the traffic in advance. Cost is paid worker time over work.</p></div>
<div><h2>All policies</h2>${tableMarkup(head, rows)}${tableMarkup(['Reference', 'Cost', 'Late', 'p95'], referenceRows(result))}</div>
</section>`;
}

function cellsOf(policy: PolicyResult): readonly string[] {
  const { p50, p95, p99, max } = policy.waitSeconds;
  return [
    policy.name,
    times(policy.costRatio),
    percent(policy.lateShare),
    ...[p50, p95, p99, max].map(seconds),
    policy.actionsPerHour.toFixed(1),
    String(policy.maxWorkers),
    policy.complete ? (policy.meetsSlo ? 'kept' : 'missed') : 'cut short',
  ];
}

function referenceRows({ references: { lpBound, oraclePlan, staticBest } }: BacktestResult) {
  const rows = [
    { name: 'the work itself', reference: { costRatio: 1, lateShare: null, waitSeconds: null } },
    { name: 'LP bound: no plan can cost less', reference: lpBound },
    { name: 'oracle plan: the traffic known', reference: oraclePlan },
    {
      name: `best fixed count${staticBest?.workers === undefined ? '' : `: ${staticBest.workers}`}`,
      reference: staticBest,
    },
  ];
  return rows.map(({ name, reference }) => ({
    className: '',
    cells: [
      name,
      reference === null ? 'none' : times(reference.costRatio),
      reference?.lateShare == null ? '' : percent(reference.lateShare),
      reference?.waitSeconds == null ? '' : seconds(reference.waitSeconds.p95),
    ],
  }));
}

function timeline({ recording, result }: ReportInput): string {
  if (recording === null || recording.flights.length === 0) return '';
  const each =
    recording.bucketSeconds === 60
      ? 'one minute'
      : `${recording.bucketSeconds / 60} minutes, lowest to highest value of each`;
  const seeded = result.seeds.length === 1 ? '' : ` Drawn is seed ${recording.seed}.`;
  return `<section class="timeline">
<h2>Over time</h2>
<div class="tools">
<label>Policy <select id="policy"></select></label>
<label>Compared with <select id="other"></select></label>
<span class="buttons" role="group" aria-label="Time shown"><button type="button" id="earlier">Earlier</button><button type="button" id="later">Later</button><button type="button" id="closer">Closer</button><button type="button" id="wider">Wider</button><button type="button" id="whole">Whole run</button></span>
</div>
<p class="hint">One point is ${each}.${seeded} Drag over a chart to look closer, double-click to see the whole run.</p>
<h3>Backlog <small>messages waiting</small></h3><div class="chart" id="backlog"></div>
<h3>Workers against need <small>need = work that arrives / what one worker does</small></h3><div class="chart" id="workers"></div>
<h3>Wait <small>seconds, by the time of arrival</small></h3><div class="chart" id="waits"></div>
<div class="decisions">
<div><h3 id="decisions-title">Decisions</h3>
<p class="hint"><label><input type="checkbox" id="holds"> holds too</label> <span id="decisions-count"></span></p>
<div id="decision-list" role="listbox" aria-labelledby="decisions-title"></div></div>
<div id="decision" aria-live="polite"><p class="hint">Point at a chart or choose a decision to see its reason.</p></div>
</div>
</section>`;
}

function closing({ losses, notes, result, settingsFrom, command }: ReportInput): string {
  const ours = oursOf(result.policies)?.name ?? 'ours';
  const lost =
    losses.length === 0
      ? '<p>No policy here is cheaper or faster at this target, and no job was late.</p>'
      : listMarkup(losses);
  const settings = ranked(result.policies).map(({ name, settings: own }) => ({
    className: '',
    cells: [
      name,
      Object.entries(own)
        .map(([key, value]) => `${key}=${value}`)
        .join('  '),
    ],
  }));
  const from =
    settingsFrom === 'defaults'
      ? "each product's own defaults"
      : "what each product's documentation says for this target";
  return `<section><h2>Where ${escaped(ours)} loses</h2>${lost}</section>
${notes.length === 0 ? '' : `<section><h2>About the traffic</h2>${listMarkup(notes)}</section>`}
<section><h2>Settings</h2><p class="hint">From ${escaped(from)}.</p><div class="settings">${tableMarkup(['Policy', 'Settings'], settings)}</div>
<p class="hint">Cost is paid worker time over work: from the acceptance of the action that starts a worker to the end of its last job. Repeat with:</p>
<pre tabindex="0">npm run backtest -- ${escaped(
    command
      .filter((_, index) => index > 0)
      .map(quoted)
      .join(' '),
  )}</pre></section>`;
}

/** For a shell, where that needs it. */
function quoted(text: string): string {
  return /^[\w./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const NO_REASON = 'The rule of this product answers with a number and gives no reason.';

/** What the page's script draws. */
function pageInput({ recording, result }: ReportInput): object | null {
  if (recording === null) return null;
  const ours = oursOf(result.policies)?.name;
  const others = ranked(result.policies).filter(({ name }) => name !== ours);
  const shown = ours ?? others[0]?.name ?? null;
  const other = others.find((policy) => !policy.ours && policy.name !== shown)?.name ?? null;
  const names = [shown, ...others.map(({ name }) => name)];
  const flights = recording.flights.toSorted((a, b) => names.indexOf(a.policy) - names.indexOf(b.policy));
  const { waitSeconds } = result.slo;
  return { ...recording, flights, shown, other, waitSeconds, reasons: REASONS, noReason: NO_REASON };
}
