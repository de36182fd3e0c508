/** Everything that happened, newest first; an entry opens to show its working. */
import { byId, clock, element, sign } from './elements.js';
import { bodyOf } from './entry.js';

const MOST_SHOWN = 300;

/** The list. `onChosen` is told the moment of the entry that was opened last, or null. */
export function createTimeline({ onChosen }) {
  const list = byId('timeline');

  const choose = () => {
    for (const { value } of document.querySelectorAll('input[name=shown]:checked')) list.dataset.shown = value;
    byId('nothing-yet').hidden = list.querySelector('li:not(.minor)') !== null || list.dataset.shown === 'all';
  };
  for (const input of document.querySelectorAll('input[name=shown]')) input.addEventListener('change', choose);
  choose();

  const add = (entry) => {
    list.prepend(itemOf(entry, onChosen));
    if (list.childElementCount > MOST_SHOWN) list.lastElementChild.remove();
  };
  return {
    add(entry) {
      add(entry);
      choose();
    },
    /** After a new connection: entries that are there stay as they are, open ones open. */
    setEntries(entries) {
      const known = new Set([...list.children].map(({ dataset }) => dataset.id));
      const isSameRun = entries.some(({ id }) => known.has(String(id)));
      if (!isSameRun) list.replaceChildren();
      for (const entry of entries) if (!isSameRun || !known.has(String(entry.id))) add(entry);
      choose();
    },
  };
}

function itemOf(entry, onChosen) {
  const bodyId = `entry-${entry.id}`;
  const canOpen = entry.record !== null;
  const head = element(
    canOpen ? 'button' : 'div',
    canOpen ? { type: 'button', class: 'head', 'aria-expanded': 'false', 'aria-controls': bodyId } : { class: 'head' },
    element('span', { class: 'at' }, clock(entry.atSeconds)),
    sign(entry.tone),
    element(
      'span',
      { class: 'what' },
      element('b', {}, entry.title),
      ' ',
      element('span', { class: 'why' }, entry.why),
    ),
  );
  const isMinor = entry.tone === 'quiet' || entry.repeats;
  const item = element(
    'li',
    { class: isMinor ? 'entry minor' : 'entry', 'data-id': entry.id, 'data-tone': entry.tone },
    head,
  );
  if (!canOpen) return item;
  const body = element('div', { class: 'body', id: bodyId, hidden: true });
  item.append(body);
  head.addEventListener('click', () => {
    const opens = body.hidden;
    // Made when it is first wanted: most entries are never opened.
    if (opens && body.childElementCount === 0) body.append(...bodyOf(entry));
    body.hidden = !opens;
    head.setAttribute('aria-expanded', String(opens));
    onChosen(opens ? entry.atSeconds : null);
  });
  return item;
}
