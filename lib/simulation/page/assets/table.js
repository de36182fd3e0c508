/** What the charts show, as a table of minutes, for whoever cannot see or wants to read. */
import { byId, clock, duration, element } from './elements.js';

const MINUTE = 60;

/** Fills the table while it is open. */
export function createNumbers() {
  const details = byId('numbers');
  const body = details.querySelector('tbody');
  // It scrolls sideways on narrow screens, which the keyboard must reach too.
  details.querySelector('.scroll').tabIndex = 0;
  let samples = [];
  let shownMinute = -1;

  const show = () => {
    const minute = Math.floor((samples.at(-1)?.atSeconds ?? 0) / MINUTE);
    if (!details.open || minute === shownMinute) return;
    shownMinute = minute;
    const lastOfMinute = new Map(samples.map((sample) => [Math.floor(sample.atSeconds / MINUTE), sample]));
    body.replaceChildren(...[...lastOfMinute.values()].reverse().map(row));
  };
  details.addEventListener('toggle', () => {
    shownMinute = -1;
    show();
  });
  return {
    setSamples(next) {
      samples = next;
      show();
    },
  };
}

function row({ atSeconds, waiting, inFlight, running, needed, p50WaitSeconds, p95WaitSeconds }) {
  const cells = [waiting, inFlight, running, needed ?? '–', duration(p50WaitSeconds), duration(p95WaitSeconds)];
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, clock(atSeconds)),
    ...cells.map((value) => element('td', {}, String(value))),
  );
}
