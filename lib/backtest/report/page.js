/**
 * The script of a report, run by the browser that shows it: three charts over time that move together, and the decisions.
 * Everything that is shown becomes text, never markup. It stands behind the chart library and page-parts.js in one script.
 */
(() => {
  const report = JSON.parse(document.getElementById('report-data').textContent);
  if (report === null || report.flights.length === 0) return;

  const byId = (id) => document.getElementById(id);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const { startSeconds, moment, tickText, STEPS } = reportMoments(report);
  const { line, stepped, amount, bandSeries, joined } = reportSeries;
  const { element, count, stepTable, fill } = reportElements;
  const times = Array.from({ length: report.buckets }, (_, index) => startSeconds + index * report.bucketSeconds);
  const whole = { min: times[0], max: times[times.length - 1] + report.bucketSeconds };
  const MOST_LISTED = 300;
  const NARROWEST_SECONDS = 600;

  const state = {
    shown: report.shown,
    other: report.other,
    range: { ...whole },
    charts: [],
    chosen: null,
    isMoving: false,
  };
  const flightOf = (name) => report.flights.find((flight) => flight.policy === name) ?? null;

  // --- charts -----------------------------------------------------------------------------------------------------

  const optionsOf = (element, content, hooks) => ({
    width: element.clientWidth,
    height: 210,
    cursor: { sync: { key: 'report' }, drag: { x: true, y: false }, y: false },
    scales: { x: { time: false }, y: { range: (_chart, _min, max) => [0, Math.max(1, max) * 1.06] } },
    series: [{ label: 'Time', value: (_chart, value) => (value == null ? '–' : moment(value)) }, ...content.series],
    bands: content.bands,
    axes: [
      {
        incrs: STEPS,
        space: 62,
        size: 50,
        values: tickText,
        stroke: color('dim'),
        grid: { stroke: color('line') },
        ticks: { stroke: color('line') },
      },
      {
        size: 58,
        stroke: color('dim'),
        grid: { stroke: color('line') },
        ticks: { stroke: color('line') },
        values: (_chart, splits) => splits.map((value) => value.toLocaleString('en-US')),
      },
    ],
    hooks: { setScale: [onScale], setCursor: [onCursor], ...hooks },
  });

  const addChart = (id, content, hooks = {}) => {
    const element = byId(id);
    element.replaceChildren();
    const chart = new uPlot(optionsOf(element, content, hooks), [times, ...content.columns], element);
    chart.over.addEventListener('dblclick', () => show(whole));
    state.charts.push(chart);
  };

  const draw = () => {
    for (const chart of state.charts) chart.destroy();
    state.charts = [];
    const shown = flightOf(state.shown);
    const other = flightOf(state.other);
    const [ours, theirs] = [color('ours'), color('other')];
    const dashed = { dash: [6, 4], width: 1.25 };
    const both = (pick, more, otherMore) => {
      const parts = [bandSeries(shown.policy, pick(shown), ours, more)];
      // Of the one it is compared with only the highest values, or four lines would cover one another.
      if (other !== null) {
        const top = { min: null, max: pick(other).max };
        parts.push(bandSeries(other.policy, top, theirs, { ...dashed, ...otherMore }));
      }
      return parts;
    };
    addChart('backlog', joined(both((flight) => flight.backlog, { fill: `${ours}22` }, {})));
    const need = line('need', color('need'), {
      fill: `${color('need')}33`,
      width: 0.75,
      paths: stepped(),
      value: amount,
    });
    const needPart = { series: [need], columns: [report.need.max], bands: [] };
    const workers = joined([needPart, ...both((flight) => flight.workers, { paths: stepped() }, { paths: stepped() })]);
    addChart('workers', workers, { draw: [drawMarks] });
    const waits = (name, label, stroke, column, more) => ({
      series: [line(`${name}, ${label}`, stroke, { value: amount, spanGaps: false, ...more })],
      columns: [column],
      bands: [],
    });
    const parts = [
      waits(shown.policy, 'longest', `${ours}88`, shown.maxWaitSeconds, { width: 0.75 }),
      waits(shown.policy, 'p95', ours, shown.p95WaitSeconds, {}),
    ];
    if (other !== null) parts.push(waits(other.policy, 'p95', theirs, other.p95WaitSeconds, dashed));
    addChart('waits', joined(parts), { draw: [drawTarget] });
    show(state.range);
  };

  const drawTarget = (chart) => {
    const { ctx, bbox } = chart;
    const y = chart.valToPos(report.waitSeconds, 'y', true);
    if (y < bbox.top) return;
    ctx.save();
    ctx.strokeStyle = color('target');
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };

  /** Small triangles where the count was changed: up for more workers, down for fewer. */
  const drawMarks = (chart) => {
    const { ctx, bbox } = chart;
    const changes = inRange(changesOf(state.shown, false));
    if (changes.length > bbox.width / devicePixelRatio / 12) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = color('ours');
    const size = 4 * devicePixelRatio;
    for (const { atSeconds, to, action } of changes) {
      const x = chart.valToPos(startSeconds + atSeconds, 'x', true);
      const y = chart.valToPos(to, 'y', true);
      const tip = action === 'scale_out' ? -size : size;
      ctx.beginPath();
      ctx.moveTo(x, y + tip);
      ctx.lineTo(x - size, y - tip);
      ctx.lineTo(x + size, y - tip);
      ctx.fill();
    }
    ctx.restore();
  };

  // --- the time that is shown -------------------------------------------------------------------------------------

  const show = ({ min, max }) => {
    state.range = { min, max };
    state.isMoving = true;
    for (const chart of state.charts) chart.setScale('x', { min, max });
    state.isMoving = false;
    list();
  };

  /** A drag over one chart moves the others too. */
  const onScale = (chart, key) => {
    if (key !== 'x' || state.isMoving) return;
    const { min, max } = chart.scales.x;
    if (min == null || max == null || (min === state.range.min && max === state.range.max)) return;
    const middle = (min + max) / 2;
    const half = Math.max((max - min) / 2, NARROWEST_SECONDS / 2);
    // A chart cannot be scaled from within its own change.
    queueMicrotask(() => show({ min: middle - half, max: middle + half }));
  };

  const move = (byShare, factor) => {
    const { min, max } = state.range;
    const span = Math.min(Math.max((max - min) * factor, NARROWEST_SECONDS), whole.max - whole.min);
    const wanted = (min + max) / 2 + byShare * (max - min);
    const middle = Math.min(Math.max(wanted, whole.min + span / 2), whole.max - span / 2);
    show({ min: middle - span / 2, max: middle + span / 2 });
  };

  const inRange = (decisions) =>
    decisions.filter(({ atSeconds }) => {
      const at = startSeconds + atSeconds;
      return at >= state.range.min && at <= state.range.max;
    });

  // --- decisions --------------------------------------------------------------------------------------------------

  const changesOf = (name, withHolds) =>
    (flightOf(name)?.decisions ?? []).filter(({ action }) => withHolds || action !== 'hold');
  const VERBS = { scale_out: 'out', scale_in: 'in', hold: 'hold' };
  const changeText = ({ action, from, to }) =>
    action === 'hold' ? `hold ${count(from)}` : `${VERBS[action]} ${count(from)} → ${count(to)}`;

  const list = () => {
    const place = byId('decision-list');
    const all = inRange(changesOf(state.shown, byId('holds').checked));
    const listed = all.slice(0, MOST_LISTED);
    place.replaceChildren(
      ...listed.map((decision, index) => {
        const row = element('div', '', {
          role: 'option',
          'aria-selected': 'false',
          tabindex: index === 0 ? '0' : '-1',
        });
        row.append(
          element('span', moment(startSeconds + decision.atSeconds)),
          element('span', changeText(decision)),
          element('span', decision.reason ?? 'order'),
        );
        row.addEventListener('focus', () => choose(decision, row));
        row.addEventListener('click', () => row.focus());
        row.addEventListener('mouseenter', () => explain(decision));
        return row;
      }),
    );
    const leftOut = flightOf(state.shown)?.decisionsLeftOut ?? 0;
    const parts = [`${all.length.toLocaleString('en-US')} in the time shown`];
    if (all.length > listed.length) parts.push(`the first ${MOST_LISTED} are listed, look closer for the rest`);
    if (leftOut > 0) parts.push(`${leftOut.toLocaleString('en-US')} smaller ones of the run were not recorded`);
    byId('decisions-count').textContent = parts.join('; ');
  };

  const choose = (decision, row) => {
    for (const other of row.parentElement.children) {
      other.setAttribute('aria-selected', String(other === row));
      other.tabIndex = other === row ? 0 : -1;
    }
    explain(decision);
    const [chart] = state.charts;
    const left = chart.valToPos(startSeconds + decision.atSeconds, 'x');
    state.isMoving = true;
    for (const each of state.charts) each.setCursor({ left, top: 8 });
    state.isMoving = false;
  };

  const onKey = (event) => {
    const row = document.activeElement;
    const rows = [...byId('decision-list').children];
    const at = rows.indexOf(row);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || next === undefined || rows[next] === undefined) return;
    event.preventDefault();
    rows[next].focus();
  };

  const explain = (decision) => {
    if (state.chosen === decision) return;
    state.chosen = decision;
    const { atSeconds, reason, outcome, steps } = decision;
    const why = reason === null ? report.noReason : (report.reasons[reason] ?? '');
    const code = element('p', '');
    code.append(element('code', reason ?? 'order'), ` ${why}`);
    const parts = [element('h4', `${moment(startSeconds + atSeconds)}: ${changeText(decision)}`), code];
    if (outcome !== null) parts.push(element('p', `Its action ${outcome}.`, { class: 'hint' }));
    if (steps.length > 0) parts.push(stepTable(steps));
    else if (reason !== null)
      parts.push(element('p', 'The working of this smaller change was not kept.', { class: 'hint' }));
    byId('decision').replaceChildren(...parts);
  };

  /** The decision that was in force where the pointer is. */
  const onCursor = (chart) => {
    const { left } = chart.cursor;
    if (state.isMoving || left == null || left < 0) return;
    const at = chart.posToVal(left, 'x') - startSeconds;
    const found = changesOf(state.shown, true).findLast(({ atSeconds }) => atSeconds <= at);
    if (found !== undefined) explain(found);
  };

  // --- the page ---------------------------------------------------------------------------------------------------

  const names = report.flights.map(({ policy }) => policy);
  fill(byId('policy'), names, state.shown);
  fill(byId('other'), [null, ...names], state.other);
  byId('policy').addEventListener('change', ({ target }) => {
    state.shown = target.value;
    draw();
  });
  byId('other').addEventListener('change', ({ target }) => {
    state.other = target.value === '' ? null : target.value;
    draw();
  });
  byId('holds').addEventListener('change', list);
  byId('decision-list').addEventListener('keydown', onKey);
  const moves = { earlier: [-0.5, 1], later: [0.5, 1], closer: [0, 0.5], wider: [0, 2] };
  for (const [id, [byShare, factor]] of Object.entries(moves)) {
    byId(id).addEventListener('click', () => move(byShare, factor));
  }
  byId('whole').addEventListener('click', () => show(whole));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  draw();
  new ResizeObserver(() => {
    for (const chart of state.charts) {
      const width = chart.root.parentElement.clientWidth;
      if (width > 0 && width !== chart.width) chart.setSize({ width, height: 210 });
    }
  }).observe(byId('backlog'));
})();
