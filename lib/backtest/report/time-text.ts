/** Moments of a run as people write them: the UTC date where the trace has one, else the day of the run. */

const DAY_SECONDS = 86_400;

/** `2026-03-01 14:05` or `day 2 14:05`. */
export function clockText(atSeconds: number, dated: { readonly startMs: number } | null): string {
  if (dated !== null) return new Date(dated.startMs + atSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const day = Math.floor(atSeconds / DAY_SECONDS) + 1;
  const minutes = Math.floor((atSeconds % DAY_SECONDS) / 60);
  return `day ${day} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
