/** How far a long run is, on standard error: one line that is rewritten on a terminal, else a line every few seconds. */

/** Shows progress; `done` removes what is left of it. */
export interface Progress {
  show(share: number, what: string): void;
  done(): void;
}

const TERMINAL_PAUSE_MS = 150;
const LINE_PAUSE_MS = 10_000;
/** The first line tells soon that something is going on; what takes less shows nothing. */
const FIRST_LINE_MS = 3000;

/** Progress on a stream. Short runs show nothing where it is not a terminal. */
export function createProgress(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  const startedMs = nowMs();
  let shownMs = stream.isTTY ? 0 : startedMs - LINE_PAUSE_MS + FIRST_LINE_MS;
  let hasLine = false;
  return {
    show(share, what) {
      const pause = stream.isTTY ? TERMINAL_PAUSE_MS : LINE_PAUSE_MS;
      if (nowMs() - shownMs < pause) return;
      shownMs = nowMs();
      const seconds = (shownMs - startedMs) / 1000;
      const left = share > 0.02 && share < 1 ? `, about ${durationText((seconds / share) * (1 - share))} left` : '';
      const text = `${String(Math.floor(share * 100)).padStart(3)} %  ${what}  (${durationText(seconds)}${left})`;
      stream.write(stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
      hasLine = stream.isTTY;
    },
    done() {
      if (hasLine) stream.write('\r\x1b[K');
      hasLine = false;
    },
  };
}

/** `45 s`, `12 min`, `3.5 h`. */
export function durationText(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
