/** The inside of an entry: the working of a decision, the end of an action, and the record itself. */
import { duration, element, table } from './elements.js';

/** Elements for an entry that has a record. */
export function bodyOf({ record, meaning }) {
  const parsed = JSON.parse(record);
  const parts =
    parsed.event === 'decision' ? ofDecision(parsed, meaning) : parsed.event === 'outcome' ? ofOutcome(parsed) : [];
  return [...parts, rawRecord(parsed)];
}

/** A count of workers; in the middle of a calculation it may be a fraction. */
function count(value) {
  if (value === null || value === undefined) return '–';
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function ofDecision({ decision, result, input, counts, ageSeconds }, meaning) {
  const { placement } = input.observation;
  const names = new Map(placement.kind === 'ok' ? placement.value.servers.map(({ uid, name }) => [uid, name]) : []);
  return [
    ...(decision && meaning
      ? [element('p', {}, element('code', {}, decision.reason), ' ', element('span', { class: 'meaning' }, meaning))]
      : []),
    ...(result.error ? [element('p', { class: 'bad' }, `It failed: ${result.error.message}`)] : []),
    ...(decision ? [element('h4', {}, 'How the count was found'), stepsTable(decision.steps)] : []),
    ...(counts ? [element('h4', {}, 'Asked of Cloud 66'), element('p', {}, askedFor(counts, names, result))] : []),
    element('h4', {}, 'What was read'),
    table('What was read', ['Reading', 'Value', 'Age'], readingRows(input.observation, ageSeconds)),
  ];
}

function stepsTable(steps) {
  if (steps.length === 0) return element('p', {}, 'There was nothing to work out.');
  return table(
    'How the count was found',
    ['Rule', 'Before', 'After', 'Why'],
    steps.map(({ name, before, after, why }) => [name.replaceAll('_', ' '), count(before), count(after), why]),
  );
}

function askedFor(counts, names, { actionId }) {
  const list = Object.entries(counts).map(([uid, workers]) => `${workers} on ${names.get(uid) ?? uid}`);
  return `${list.join(', ')}${actionId ? ` (action ${actionId})` : ''}.`;
}

const VALUES = {
  backlog: ({ visible, inFlight, delayed }) => `${visible} waiting, ${inFlight} in flight, ${delayed} delayed`,
  placement: ({ servers }) => servers.map(({ name, count }) => `${name} ${count}`).join(', '),
  history: ({ points, periodSeconds }) =>
    `${points.length} points of ${periodSeconds} s, at most ${Math.max(0, ...points.map((p) => p.visible + p.inFlight))}`,
  rates: ({ sent }) => `${sent.length} minutes of arrivals and completions`,
  forecast: ({ expected }) => `${expected.length} minutes ahead`,
  looks: (looks) => `${looks.length} earlier looks`,
  stack: ({ status, maintenanceMode }) => `${status.replaceAll('_', ' ')}${maintenanceMode ? ', in maintenance' : ''}`,
  actions: (actions) => {
    const running = actions.filter(({ finishedAtMs }) => finishedAtMs === null).length;
    return `the newest ${actions.length}, ${running} of them running`;
  },
  changeSeconds: (seconds) =>
    seconds.length === 0 ? 'none in the log' : `the last changes took ${seconds.map(Math.round).join(', ')} s`,
};

function readingRows(observation, ageSeconds) {
  return Object.entries(observation).map(([name, reading]) => {
    if (reading.kind === 'not_read') return [name, 'not needed', '–'];
    if (reading.kind !== 'ok')
      return [name, `${reading.kind}: ${reading.why.replaceAll('_', ' ')}. ${reading.detail}`, '–'];
    const write = VALUES[name] ?? JSON.stringify;
    return [name, write(reading.value), duration(ageSeconds[name])];
  });
}

function ofOutcome({ record, outcome, looks, tookSeconds }) {
  const rows = [
    ['Outcome', outcome.kind.replaceAll('_', ' ')],
    ['Asked for', `${record.desiredCount} workers instead of ${record.previousCount}`],
    ['Seen', outcome.observedCount === null ? 'not known' : `${outcome.observedCount} workers`],
    ['Took', `${duration(tookSeconds)}, ${looks} ${looks === 1 ? 'look' : 'looks'}`],
  ];
  return [element('h4', {}, 'How it ended'), table('How it ended', ['', ''], rows)];
}

function rawRecord(parsed) {
  const text = JSON.stringify(parsed, null, 2);
  const copied = element('span', { class: 'dim', role: 'status' });
  const copy = element('button', { type: 'button', class: 'plain' }, 'Copy');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = 'Copied.';
    } catch {
      copied.textContent = 'The browser does not allow it; select the text instead.';
    }
  });
  return element(
    'details',
    { class: 'record' },
    element('summary', {}, 'The log record'),
    element('p', { class: 'copy' }, copy, ' ', copied),
    element('pre', { tabindex: 0, role: 'region', 'aria-label': 'Log record' }, text),
  );
}
