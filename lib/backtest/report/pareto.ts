/** Cost against wait of every policy as a picture, with the optimum: an SVG that needs no script. */
import type { BacktestResult, PolicyResult } from '../run.ts';
import { escaped } from './markup.ts';
import { oursOf, percent, seconds, times } from './verdict.ts';

/** One mark; waits in seconds. */
interface Mark {
  readonly name: string;
  readonly cost: number;
  readonly wait: number;
  readonly kind: 'ours' | 'meets' | 'misses' | 'reference';
  readonly text: string;
}

const WIDTH = 640;
const HEIGHT = 420;
const INSET = { left: 56, right: 20, top: 18, bottom: 46 };
const LABEL_HEIGHT = 13;
const LABEL_CHARACTER = 6.4;
const COST_TICKS = [1, 1.2, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128];
const WAIT_TICKS = [0, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400];

/** The picture; empty text when nothing was flown. */
export function paretoMarkup(result: BacktestResult): string {
  const { slo, references } = result;
  const quantile = slo.share >= 0.985 ? 'p99' : 'p95';
  const marks = [...marksOf(result, quantile)];
  if (marks.length === 0) return '';
  const mostCost = Math.max(2, ...marks.map(({ cost }) => cost)) * 1.1;
  const mostWait = Math.max(slo.waitSeconds * 1.5, ...marks.map(({ wait }) => wait));
  const x = (cost: number): number =>
    INSET.left +
    (Math.log(Math.max(cost, 0.95) / 0.95) / Math.log(mostCost / 0.95)) * (WIDTH - INSET.left - INSET.right);
  const y = (wait: number): number =>
    HEIGHT - INSET.bottom - (Math.log1p(wait) / Math.log1p(mostWait * 1.2)) * (HEIGHT - INSET.top - INSET.bottom);
  const costTicks = COST_TICKS.filter((tick) => tick < mostCost).map((tick) => verticalTick(x(tick), String(tick)));
  const waitTicks = WAIT_TICKS.filter((tick) => tick < mostWait * 1.2).map((tick) => levelTick(y(tick), seconds(tick)));
  const bound = references.lpBound;
  const lines = [
    bound && verticalLine(x(bound.costRatio), `LP bound ${times(bound.costRatio)}`),
    levelLine(y(slo.waitSeconds), `target ${seconds(slo.waitSeconds)}`),
  ].filter((line) => line !== null);
  const labels = labelsOf(marks.map((mark) => ({ mark, x: x(mark.cost), y: y(mark.wait) })));
  return `<svg class="pareto" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="group" aria-label="Cost against wait of every policy">
${costTicks.join('')}${waitTicks.join('')}${lines.join('')}
<text class="axis" x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">cost / work (log)</text>
<text class="axis" x="${-HEIGHT / 2 + 12}" y="13" text-anchor="middle" transform="rotate(-90)">${quantile} of the wait (log)</text>
${labels.join('\n')}
</svg>`;
}

function* marksOf(result: BacktestResult, quantile: 'p95' | 'p99'): Generator<Mark> {
  const ours = oursOf(result.policies);
  for (const policy of result.policies) {
    const kind = policy === ours ? 'ours' : policy.meetsSlo ? 'meets' : 'misses';
    const { name, costRatio: cost, waitSeconds } = policy;
    yield { name, cost, wait: waitSeconds[quantile], kind, text: policyText(policy) };
  }
  const { oraclePlan, staticBest } = result.references;
  for (const [name, reference] of [
    ['oracle plan', oraclePlan],
    ['best fixed count', staticBest],
  ] as const) {
    if (!reference?.waitSeconds) continue;
    const wait = reference.waitSeconds[quantile];
    const text = `${name}: cost ${times(reference.costRatio)}, ${quantile} ${seconds(wait)}; known only in hindsight`;
    yield { name, cost: reference.costRatio, wait, kind: 'reference', text };
  }
}

function policyText({ name, costRatio, waitSeconds, lateShare, meetsSlo }: PolicyResult): string {
  const kept = meetsSlo ? 'keeps the target' : 'misses the target';
  return `${name}: cost ${times(costRatio)}, p95 ${seconds(waitSeconds.p95)}, ${percent(lateShare)} late, ${kept}`;
}

function verticalTick(x: number, text: string): string {
  const bottom = HEIGHT - INSET.bottom;
  return `<path class="grid" d="M${x.toFixed(1)} ${INSET.top}V${bottom}"/><text class="tick" x="${x.toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${text}</text>`;
}

function levelTick(y: number, text: string): string {
  return `<path class="grid" d="M${INSET.left} ${y.toFixed(1)}H${WIDTH - INSET.right}"/><text class="tick" x="${INSET.left - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${text}</text>`;
}

function verticalLine(x: number, text: string): string {
  const top = INSET.top + 4;
  return `<path class="bound" d="M${x.toFixed(1)} ${INSET.top}V${HEIGHT - INSET.bottom}"/><text class="bound-text" text-anchor="end" transform="translate(${(x + 15).toFixed(1)} ${top}) rotate(-90)">${escaped(text)}</text>`;
}

function levelLine(y: number, text: string): string {
  return `<path class="target" d="M${INSET.left} ${y.toFixed(1)}H${WIDTH - INSET.right}"/><text class="target-text" x="${WIDTH - INSET.right - 4}" y="${(y - 5).toFixed(1)}" text-anchor="end">${escaped(text)}</text>`;
}

interface Placed {
  readonly mark: Mark;
  readonly x: number;
  readonly y: number;
}

/** A box that a name or a mark covers. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

const STEPS = [0, 1, -1, 2, -2, 3, -3, 4, -4];

/** Marks with their names beside them, moved to the other side, up or down where they would cover something. */
function labelsOf(placed: readonly Placed[]): string[] {
  const taken: Box[] = placed.map(({ x, y }) => ({ left: x - 7, right: x + 7, y }));
  return placed
    .toSorted((a, b) => rank(a.mark) - rank(b.mark) || a.y - b.y)
    .map(({ mark, x, y }) => {
      const box = freeBox(mark.name.length * LABEL_CHARACTER, x, y, taken);
      taken.push(box);
      const isLeft = box.right < x;
      const [labelX, anchor] = isLeft ? [x - 10, 'end'] : [x + 10, 'start'];
      return `<g class="mark ${mark.kind}" tabindex="0" role="img" aria-label="${escaped(mark.text)}"><title>${escaped(mark.text)}</title>${shapeOf(mark.kind, x, y)}<text x="${labelX.toFixed(1)}" y="${(box.y + 4).toFixed(1)}" text-anchor="${anchor}">${escaped(mark.name)}</text></g>`;
    });
}

/** The nearest free place for a name; beside its mark when there is none. */
function freeBox(width: number, x: number, y: number, taken: readonly Box[]): Box {
  const boxes = STEPS.flatMap((step) => {
    const at = y + step * LABEL_HEIGHT;
    return [
      { left: x + 9, right: x + 10 + width, y: at },
      { left: x - 10 - width, right: x - 9, y: at },
    ];
  }).filter(({ left, right }) => left > INSET.left && right < WIDTH);
  return boxes.find((box) => isFree(box, taken)) ?? boxes[0] ?? { left: x, right: x, y };
}

/** Ours and the references get the places they want. */
function rank({ kind }: Mark): number {
  return ['ours', 'reference', 'meets', 'misses'].indexOf(kind);
}

function isFree({ left, right, y }: Box, taken: readonly Box[]): boolean {
  if (y < INSET.top || y > HEIGHT - INSET.bottom) return false;
  return taken.every((other) => Math.abs(other.y - y) >= LABEL_HEIGHT || other.left > right || other.right < left);
}

function shapeOf(kind: Mark['kind'], x: number, y: number): string {
  const at = `${x.toFixed(1)} ${y.toFixed(1)}`;
  if (kind === 'ours') return `<path transform="translate(${at})" d="M0 -7L7 0L0 7L-7 0Z"/>`;
  if (kind === 'reference') return `<path transform="translate(${at})" d="M-5 -5H5V5H-5Z"/>`;
  return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="5"/>`;
}
