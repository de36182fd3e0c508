/** Three charts over the same time: backlog, workers against need, waits. */
import { byId, clock, duration, element, setText } from './elements.js';
import uPlot from './uplot.js';

/** Simulated time that is shown at most, and at least. */
const LONGEST_SECONDS = 1800;
const SHORTEST_SECONDS = 300;
const MINUTE = 60;

const count = (value) => (value === null || value === undefined ? '–' : String(value));

const CHARTS = [
  {
    id: 'chart-backlog',
    title: 'Backlog',
    highest: () => Infinity,
    height: 170,
    series: [
      { key: 'waiting', label: 'waiting', color: 'waiting', fill: '2e', write: count },
      { key: 'inFlight', label: 'in flight', color: 'in-flight', fill: '40', write: count },
    ],
  },
  {
    id: 'chart-workers',
    title: 'Workers',
    // A need far above the maximum would press everything else to the floor.
    highest: ({ limits, samples }) => 1.5 * Math.max(limits?.max ?? Infinity, ...samples.map(({ ordered }) => ordered)),
    height: 170,
    series: [
      { key: 'needed', label: 'needed', color: 'needed', dash: [5, 4], stepped: true, write: count },
      { key: 'ordered', label: 'ordered', color: 'ordered', width: 1.25, stepped: true, write: count },
      { key: 'running', label: 'working', color: 'running', fill: '2e', width: 2, stepped: true, write: count },
    ],
  },
  {
    id: 'chart-waits',
    title: 'Wait of the last minute’s jobs',
    highest: () => Infinity,
    height: 140,
    series: [
      { key: 'p95WaitSeconds', label: 'p95', color: 'wait', fill: '24', write: duration },
      { key: 'p50WaitSeconds', label: 'p50', color: 'wait-middle', width: 1.25, write: duration },
    ],
  },
];

const colorOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Charts that follow the samples they are given. */
export function createCharts() {
  const state = { samples: [], entries: [], limits: null, chosen: null, scheduled: false };
  const charts = CHARTS.map((spec) => createChart(spec, state));

  const redraw = () => {
    if (state.scheduled) return;
    state.scheduled = true;
    requestAnimationFrame(() => {
      state.scheduled = false;
      for (const chart of charts) chart.draw();
    });
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const chart of charts) chart.rebuild();
  });
  const set = (key) => (value) => {
    state[key] = value;
    redraw();
  };
  return {
    setSamples: set('samples'),
    setEntries: set('entries'),
    setLimits: set('limits'),
    /** Marks a moment in all charts; null = none. */
    choose: set('chosen'),
  };
}

function createChart(spec, state) {
  const figure = byId(spec.id);
  const values = spec.series.map(() => element('b', {}, '–'));
  const canvas = element('div', { class: 'canvas', role: 'img', 'aria-label': `${spec.title}, nothing drawn yet` });
  figure.append(
    element(
      'figcaption',
      {},
      element('h3', {}, spec.title),
      ...spec.series.map(({ label, color }, index) =>
        element('span', { class: 'key', 'data-key': color }, label, ' ', values[index]),
      ),
    ),
    canvas,
  );

  let plot = null;
  const columns = () => [
    state.samples.map(({ atSeconds }) => atSeconds),
    ...spec.series.map(({ key }) => state.samples.map((sample) => sample[key])),
  ];
  const writeValues = (index) => {
    const sample = state.samples[index ?? state.samples.length - 1];
    for (const [at, { key, write }] of spec.series.entries()) setText(values[at], write(sample?.[key]));
  };
  const build = () => {
    plot = new uPlot(optionsOf({ spec, state, canvas, onCursor: writeValues }), columns(), canvas);
  };
  new ResizeObserver(() => plot?.setSize({ width: canvas.clientWidth, height: spec.height })).observe(canvas);

  return {
    draw() {
      if (plot === null) build();
      else plot.setData(columns());
      writeValues(plot.cursor.idx);
      const now = state.samples.at(-1);
      if (!now) return;
      const told = spec.series.map(({ key, label, write }) => `${write(now[key])} ${label}`).join(', ');
      canvas.setAttribute('aria-label', `${spec.title} at ${clock(now.atSeconds)}: ${told}`);
    },
    rebuild() {
      plot?.destroy();
      build();
    },
  };
}

function optionsOf({ spec, state, canvas, onCursor }) {
  const axis = {
    stroke: colorOf('dim'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colorOf('grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: canvas.clientWidth,
    height: spec.height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'run' }, drag: { x: false, y: false }, points: { size: 7 }, y: false },
    scales: {
      x: { time: false, range: () => rangeOf(state.samples) },
      y: { range: (_plot, _min, max) => [0, Math.min(spec.highest(state), Math.max(4, max)) * 1.1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 56,
        incrs: [60, 120, 300, 600],
        values: (_plot, splits) => splits.map(clock),
      },
      { ...axis, size: 40, space: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
    ],
    series: [{}, ...spec.series.map(seriesOf)],
    hooks: {
      drawClear: [(plot) => shade(plot, state.samples)],
      draw: [(plot) => mark(plot, spec, state)],
      setCursor: [(plot) => onCursor(plot.cursor.idx)],
    },
  };
}

function seriesOf({ label, color, fill, dash, stepped, width }) {
  const stroke = colorOf(color);
  return {
    label,
    stroke,
    width: width ?? 1.75,
    points: { show: false },
    ...(fill ? { fill: `${stroke}${fill}` } : {}),
    ...(dash ? { dash } : {}),
    ...(stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
  };
}

/** Whole minutes, so that the picture stands still in between. */
function rangeOf(samples) {
  const end = Math.max(SHORTEST_SECONDS, Math.ceil((samples.at(-1)?.atSeconds ?? 0) / MINUTE + 0.05) * MINUTE);
  return [Math.max(0, end - LONGEST_SECONDS), end];
}

/** Behind the lines: times of an outage or a deployment. */
function shade(plot, samples) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const key of ['deploying', 'outage']) {
    ctx.fillStyle = colorOf(`shade-${key}`);
    for (const [from, to] of stretchesOf(samples, key)) {
      const left = plot.valToPos(from, 'x', true);
      ctx.fillRect(left, bbox.top, Math.max(2, plot.valToPos(to, 'x', true) - left), bbox.height);
    }
  }
  ctx.restore();
}

function stretchesOf(samples, key) {
  const stretches = [];
  let from = null;
  for (const sample of samples) {
    if (sample[key]) from ??= sample.atSeconds;
    else if (from !== null) {
      stretches.push([from, sample.atSeconds]);
      from = null;
    }
  }
  return from === null ? stretches : [...stretches, [from, samples.at(-1).atSeconds]];
}

/** On top of the lines: changes of the count, the maximum, and the moment that was chosen. */
function mark(plot, spec, state) {
  const { ctx, bbox } = plot;
  const line = (x1, y1, x2, y2, color, dash) => {
    ctx.strokeStyle = colorOf(color);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  };
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { tone, atSeconds } of state.entries) {
    if (tone !== 'out' && tone !== 'in') continue;
    const x = plot.valToPos(atSeconds, 'x', true);
    line(x, bbox.top, x, bbox.top + bbox.height, `tone-${tone}`, [2, 3]);
  }
  if (spec.id === 'chart-workers' && state.limits) {
    const y = plot.valToPos(state.limits.max, 'y', true);
    line(bbox.left, y, bbox.left + bbox.width, y, 'tone-bad', [6, 4]);
    ctx.fillStyle = colorOf('tone-bad');
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'alphabetic';
    ctx.fillText('maximum', bbox.left + 6 * devicePixelRatio, y - 4 * devicePixelRatio);
  }
  if (state.chosen !== null) {
    const x = plot.valToPos(state.chosen, 'x', true);
    line(x, bbox.top, x, bbox.top + bbox.height, 'accent', []);
  }
  ctx.restore();
}
