/**
 * The local page: receives the state of the run and every change of it as server-sent events, and hands them to the parts
 * that show them. Plain JavaScript, run by the browser as it is.
 */
import { createCharts } from './charts.js';
import { createControls } from './controls.js';
import { byId, clock, duration, element, setText } from './elements.js';
import { createServers } from './servers.js';
import { createNumbers } from './table.js';
import { createTimeline } from './timeline.js';

const MOST_SAMPLES = 2000;

const state = { run: null, samples: [], entries: [], place: null };
const charts = createCharts();
const controls = createControls();
const servers = createServers(controls);
const numbers = createNumbers();
const timeline = createTimeline({ onChosen: (atSeconds) => charts.choose(atSeconds) });

// --- one part each ------------------------------------------------------------------------------------------------

const PHASES = { packaging: 'Packaging the template', running: 'Live', over: 'Run ended' };

function showConnection(connection) {
  const phase = state.run?.phase;
  const pill = byId('connection');
  const lost = connection === 'lost' && phase !== 'over';
  pill.dataset.state = lost ? 'lost' : (phase ?? 'waiting');
  setText(pill, lost ? 'Connection lost, trying again' : (PHASES[phase] ?? 'Connecting'));
  document.body.classList.toggle('stale', lost);
  controls.setReady(!lost && phase === 'running');
}

function showRun(run) {
  state.run = run;
  setText(byId('run'), `Local run. Load: ${run.load}.`);
  setText(byId('speed'), run.speed === 1 ? 'real time' : `simulated, ${Number(run.speed.toFixed(1))}× real time`);
  showConnection('open');
  const ending = byId('ending');
  ending.hidden = run.ending === null;
  if (run.ending === null) return;
  const { verdict, sentence, details, figures } = run.ending;
  ending.dataset.verdict = verdict;
  setText(byId('ending-title'), sentence);
  byId('ending-details').replaceChildren(...details.map((detail) => element('li', {}, detail)));
  byId('ending-figures').replaceChildren(
    ...figures.map(({ name, value }) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

function showNow() {
  const sample = state.samples.at(-1);
  if (!sample) return;
  const { limits } = state.place ?? {};
  const starting = sample.ordered - sample.running;
  setText(byId('clock'), clock(sample.atSeconds));
  setText(byId('now-waiting'), String(sample.waiting));
  setText(byId('now-in-flight'), `+ ${sample.inFlight} in flight`);
  setText(byId('now-workers'), String(sample.running));
  const bounds = limits ? `of ${limits.min} to ${limits.max}` : '';
  setText(byId('now-limits'), starting > 0 ? `${bounds}, ${starting} starting` : bounds);
  setText(byId('now-needed'), sample.needed === null ? '–' : String(sample.needed));
  setText(byId('now-wait'), duration(sample.p95WaitSeconds));
}

function showNewest() {
  const newest = state.entries.findLast(({ kind }) => kind === 'decision');
  if (!newest) return;
  setText(byId('newest-at'), `at ${clock(newest.atSeconds)}`);
  setText(byId('newest-title'), newest.title);
  setText(byId('newest-why'), newest.why);
}

/** Spoken by screen readers: what changes something, a few at once. */
const SPOKEN = ['out', 'in', 'good', 'bad', 'alarm'];
const unspoken = [];

function announce({ tone, atSeconds, title, why }) {
  if (!SPOKEN.includes(tone)) return;
  if (unspoken.push(`${clock(atSeconds)}: ${title}. ${why}`) > 1) return;
  setTimeout(() => {
    byId('announcer').replaceChildren(...unspoken.splice(0).map((text) => element('p', {}, text)));
  }, 1000);
}

// --- events -------------------------------------------------------------------------------------------------------

function showAll(whole) {
  Object.assign(state, whole);
  showRun(state.run);
  charts.setSamples(state.samples);
  charts.setEntries(state.entries);
  numbers.setSamples(state.samples);
  timeline.setEntries(state.entries);
  if (state.place) showPlace(state.place);
  showNow();
  showNewest();
}

function showPlace(place) {
  state.place = place;
  servers.show(place, state.samples.at(-1)?.atSeconds ?? 0);
  controls.show(place);
  charts.setLimits(place.limits);
}

const HANDLERS = {
  state: showAll,
  run: showRun,
  place: showPlace,
  sample(sample) {
    state.samples.push(sample);
    if (state.samples.length > MOST_SAMPLES) state.samples.shift();
    charts.setSamples(state.samples);
    numbers.setSamples(state.samples);
    servers.tick(sample.atSeconds);
    showNow();
  },
  entry(entry) {
    state.entries.push(entry);
    timeline.add(entry);
    charts.setEntries(state.entries);
    announce(entry);
    showNewest();
  },
};

const source = new EventSource('/events');
source.addEventListener('open', () => showConnection('open'));
source.addEventListener('error', () => {
  // The browser connects again by itself; there is nothing to connect to once the run is over.
  if (state.run?.phase === 'over') source.close();
  showConnection('lost');
});
for (const [name, handle] of Object.entries(HANDLERS)) {
  source.addEventListener(name, (event) => {
    handle(JSON.parse(event.data));
    if (state.run?.phase === 'over') source.close();
  });
}
