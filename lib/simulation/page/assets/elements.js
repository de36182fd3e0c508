/** Makes elements. Whatever is shown goes through here as text, never as markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children; strings become text. Attributes that are null or false are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Sets text only when it differs: screen readers and selections are left in peace. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Minutes and seconds of simulated time. */
export function clock(atSeconds) {
  const whole = Math.max(0, Math.floor(atSeconds));
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

/** A length of time as people say it. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  return seconds < 180 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** A table with a caption that is read and not seen. */
export function table(caption, heads, rows) {
  return element(
    'table',
    {},
    element('caption', { class: 'unseen' }, caption),
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element(
      'tbody',
      {},
      ...rows.map(([first, ...others]) =>
        element('tr', {}, element('th', { scope: 'row' }, first), ...others.map((text) => element('td', {}, text))),
      ),
    ),
  );
}

const STROKES = {
  out: 'M8 13V3M3.5 7.5 8 3l4.5 4.5',
  in: 'M8 3v10M3.5 8.5 8 13l4.5-4.5',
  hold: 'M5.5 3.5v9M10.5 3.5v9',
  quiet: 'M8 8h.01',
  good: 'M3 8.5 6.5 12 13 4.5',
  bad: 'M8 3v6M8 12.5v.01',
  alarm: 'M3 12h10L11.5 9V7a3.5 3.5 0 0 0-7 0v2zM7 14.5h2',
  you: 'M4 2.5 13 8l-4 1.2L7 13z',
};

/** The sign of a tone; what it says stands in words beside it. */
export function sign(tone) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', STROKES[tone] ?? STROKES.quiet);
  svg.append(path);
  return element('span', { class: 'sign', 'data-tone': tone }, svg);
}
