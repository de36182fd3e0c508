/** Cloud 66 as it is now: servers with their workers, and what its actions do. */
import { byId, clock, duration, element, setText, sign } from './elements.js';

const MOST_SHOWN_WORKERS = 20;

/** Shows servers and actions; presses go to the controls. */
export function createServers(controls) {
  const cards = new Map();
  let shown = null;

  const cardOf = (server) => {
    const known = cards.get(server.uid);
    if (known) return known;
    const card = createCard(server, controls);
    cards.set(server.uid, card);
    byId('servers').append(card.item);
    return card;
  };
  const showActions = (atSeconds) => {
    const list = byId('actions');
    if (shown === null) return;
    if (shown.actions.length === 0) list.replaceChildren(element('li', { class: 'dim' }, 'None so far.'));
    else list.replaceChildren(...shown.actions.map((action) => actionItem(action, atSeconds)));
  };

  return {
    show(place, atSeconds) {
      shown = place;
      const trouble = place.outage ? ', API out' : '';
      setText(byId('stack'), `stack ${place.stackName}, process ${place.processName}: ${place.status}${trouble}`);
      for (const server of place.servers) cardOf(server).show(server);
      for (const [uid, card] of cards) {
        if (place.servers.some((server) => server.uid === uid)) continue;
        card.item.remove();
        cards.delete(uid);
      }
      showActions(atSeconds);
    },
    /** Time goes on: actions that run get older. */
    tick(atSeconds) {
      if (shown?.actions.some(({ finishedAtSeconds }) => finishedAtSeconds === null)) showActions(atSeconds);
    },
  };
}

function createCard(server, controls) {
  let ordered = server.ordered;
  const title = element('h3', {});
  const counts = element('p', { class: 'dim small' });
  const dots = element('div', { class: 'dots', 'aria-hidden': 'true' });
  const step = (label, sign, by) => {
    const button = element('button', { type: 'button', class: 'step', 'aria-label': label }, sign);
    button.addEventListener('click', () => {
      void controls.press('by-hand', { serverUid: server.uid, count: Math.max(0, ordered + by) });
    });
    return button;
  };
  const fewer = step(`One worker fewer on ${server.name}, by hand`, '−', -1);
  const more = step(`One worker more on ${server.name}, by hand`, '+', 1);
  const item = element(
    'li',
    { class: 'server' },
    element('div', {}, title, counts),
    element('div', { class: 'steps' }, fewer, more),
    dots,
  );
  return {
    item,
    show(next) {
      ordered = next.ordered;
      const starting = next.ordered - next.running;
      setText(title, next.name);
      const extra = starting > 0 ? `, ${starting} starting` : '';
      setText(counts, next.healthy ? `${next.running} working${extra}` : 'failed');
      const all = Math.min(MOST_SHOWN_WORKERS, Math.max(next.ordered, next.running));
      dots.replaceChildren(
        ...Array.from({ length: all }, (_, index) =>
          element('span', { class: 'worker', 'data-state': index < next.running ? 'running' : 'starting' }),
        ),
      );
    },
  };
}

function actionItem({ id, what, by, startedAtSeconds, finishedAtSeconds, success }, atSeconds) {
  const runs = finishedAtSeconds === null;
  const took = duration((runs ? atSeconds : finishedAtSeconds) - startedAtSeconds);
  const end = runs ? `running for ${took}` : success ? `done in ${took}` : `failed after ${took}`;
  return element(
    'li',
    {},
    sign(runs ? 'hold' : success ? 'good' : 'bad'),
    element('span', { class: 'dim' }, clock(startedAtSeconds)),
    element('b', {}, what),
    element('span', { class: 'dim' }, `${by === 'person' ? 'by a person' : `action ${id}`}, ${end}`),
  );
}
