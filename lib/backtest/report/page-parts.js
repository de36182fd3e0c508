/** Parts of a report's script that know nothing of what the page shows now: moments as text, series of a chart, elements. */

globalThis.reportMoments = (report) => {
  const startSeconds = report.dated ? report.startMs / 1000 : 0;
  const two = (value) => String(value).padStart(2, '0');
  const clock = (seconds) => {
    const minutes = Math.floor((((seconds % 86400) + 86400) % 86400) / 60);
    return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  };
  const dayOf = (seconds) =>
    report.dated ? new Date(seconds * 1000).toISOString().slice(5, 10) : `day ${Math.floor(seconds / 86400) + 1}`;
  const moment = (seconds) => `${dayOf(seconds)} ${clock(seconds)}`;
  const tickText = (_chart, splits) => {
    let lastDay = '';
    return splits.map((seconds) => {
      const day = dayOf(seconds);
      const text = day === lastDay ? clock(seconds) : `${clock(seconds)}\n${day}`;
      lastDay = day;
      return text;
    });
  };
  const HOUR = 3600;
  const STEPS = [60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR].concat(
    [1, 2, 5, 10, 20, 50, 100].map((days) => days * 24 * HOUR),
  );
  return { startSeconds, moment, tickText, STEPS };
};

globalThis.reportSeries = (() => {
  const line = (label, stroke, more = {}) => ({ label, stroke, width: 1.5, points: { show: false }, ...more });
  const stepped = () => uPlot.paths.stepped({ align: 1 });
  const amount = (_chart, value) => (value == null ? '–' : Number(value.toFixed(1)).toLocaleString('en-US'));

  /** Lowest and highest value of a flight as two lines with the space between them filled. */
  const bandSeries = (name, band, stroke, more) => {
    const top = line(band.min === null ? name : `${name}, highest`, stroke, { value: amount, ...more });
    if (band.min === null) return { series: [top], columns: [band.max], bands: [] };
    const bottom = line(`${name}, lowest`, stroke, { value: amount, width: 0.75, ...more, fill: undefined });
    return { series: [top, bottom], columns: [band.max, band.min], bands: [{ series: [0, 1], fill: `${stroke}40` }] };
  };

  const joined = (parts) => {
    const all = { series: [], columns: [], bands: [] };
    for (const part of parts) {
      const offset = all.series.length + 1;
      all.bands.push(...part.bands.map(({ series, fill }) => ({ series: series.map((at) => at + offset), fill })));
      all.series.push(...part.series);
      all.columns.push(...part.columns);
    }
    return all;
  };

  return { line, stepped, amount, bandSeries, joined };
})();

globalThis.reportElements = (() => {
  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const count = (value) => (value === null ? '–' : String(Math.round(value * 10) / 10));

  const stepTable = (steps) => {
    const table = document.createElement('table');
    const head = table.createTHead().insertRow();
    for (const name of ['Step', 'Before', 'After', 'Why']) head.append(element('th', name, { scope: 'col' }));
    const body = table.createTBody();
    for (const { name, before, after, why } of steps) {
      const row = body.insertRow();
      row.append(element('th', name, { scope: 'row' }));
      for (const text of [count(before), count(after), why]) row.append(element('td', text));
    }
    const scroll = element('div', '', { class: 'scroll' });
    scroll.append(table);
    return scroll;
  };

  const fill = (select, names, chosen) => {
    select.replaceChildren(...names.map((name) => element('option', name ?? 'nothing', { value: name ?? '' })));
    select.value = chosen ?? '';
  };

  return { element, count, stepTable, fill };
})();
