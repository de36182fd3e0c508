/** The example account behind its HTTP server, with what a test needs to ask it. Servers end with their test. */
import { afterEach } from 'vitest';
import type { AccountSettings } from '../../../lib/simulation/cloud66/model.ts';
import { type Cloud66Server, type ServerOptions, startCloud66Server } from '../../../lib/simulation/cloud66/server.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { createExample, type Example } from './example.ts';

const open: Cloud66Server[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

export interface Served extends Example {
  readonly server: Cloud66Server;
  get(path: string, token?: string): Promise<Response>;
  post(path: string, body: unknown, token?: string): Promise<Response>;
}

export async function serve(
  settings: Partial<AccountSettings> = {},
  options: Partial<Omit<ServerOptions, 'account'>> = {},
): Promise<Served> {
  const example = createExample(settings);
  const server = await startCloud66Server({
    account: example.account,
    random: createRandom(1),
    replyForm: 'documented',
    ...options,
  });
  open.push(server);
  const headers = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
  return {
    ...example,
    server,
    get: (path, token = 'all') => fetch(`${server.url}${path}`, { headers: headers(token), redirect: 'manual' }),
    post: (path, body, token = 'all') =>
      fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: headers(token),
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

interface WireItem {
  readonly id: number;
  readonly name: string;
  readonly health_state: number;
}

/** A successful answer; `response` is an item or a list of them, depending on the endpoint and its form. */
interface WireBody {
  readonly response: WireItem & readonly WireItem[];
  readonly count: number;
  readonly pagination: object;
}

export async function json(answer: Promise<Response>): Promise<WireBody> {
  return (await (await answer).json()) as WireBody;
}

export const WISH = { process_name: 'worker', server_count: { 'uid-a': 4 }, user_reference: 'note' };
