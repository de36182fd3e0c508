/** Server-sent events: the whole state to whoever connects, then every change. */
import type { ServerResponse } from 'node:http';
import { wall } from '../time.ts';
import type { Change, Feed } from './state.ts';

/** After this the browser connects again, and gets the whole state again. */
const RETRY_MS = 1000;
/** Comments keep the connection alive and show a browser that has gone. Real time: people look at this. */
const HEARTBEAT_MS = 10_000;
/** A browser that does not read is let go; it will connect again and get the state as it is then. */
const MOST_BUFFERED_BYTES = 8_388_608;
/** Browsers at the same time; a person has a few tabs. */
const MOST_STREAMS = 20;

/** All browsers that listen. */
export interface EventStreams {
  /** Takes over the response; false when there are too many. */
  open(response: ServerResponse): boolean;
  /** Ends all of them. */
  close(): void;
}

/** Streams of one feed. */
export function createEventStreams(feed: Feed): EventStreams {
  const open = new Set<ServerResponse>();
  let heartbeat: NodeJS.Timeout | undefined;

  const send = (response: ServerResponse, text: string) => {
    if (response.writableLength > MOST_BUFFERED_BYTES) response.destroy();
    else response.write(text);
  };
  const sendAll = (text: string) => {
    for (const response of open) send(response, text);
  };
  const stopListening = feed.listen((change) => sendAll(eventText(change.name, change.value)));
  const beat = () => {
    sendAll(': still here\n\n');
    heartbeat = wall.after(HEARTBEAT_MS, beat);
    heartbeat.unref();
  };
  beat();

  return {
    open(response) {
      if (open.size >= MOST_STREAMS) return false;
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.write(`retry: ${RETRY_MS}\n\n${eventText('state', feed.state())}`);
      open.add(response);
      response.once('close', () => open.delete(response));
      return true;
    },
    close() {
      stopListening();
      clearTimeout(heartbeat);
      for (const response of open) response.end();
      open.clear();
    },
  };
}

/** JSON has no line breaks, so one line of data is enough. */
function eventText(name: Change['name'] | 'state', value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}
