/**
 * Runs as a process of its own: loads one handler, calls it with each event in turn, and prints what that took. `setup`
 * and `afterFirst` are URLs that are asked between the calls, so that the world outside can change.
 */
import diagnostics from 'node:diagnostics_channel';

// AWS's runtime client holds this when it loads a handler. (`import` would load undici too, by way of `http.WebSocket`.)
// Source: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client, src/client/rapid-client.ts
const { Agent } = process.getBuiltinModule('node:http');
globalThis.runtimeAgent = new Agent({ keepAlive: true, maxSockets: 1 });

const { file, events } = JSON.parse(process.env.PROBE);
const context = { awsRequestId: 'probe', getRemainingTimeInMillis: () => 60_000 };
const written = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;

/** Outside calls of the last event: when each left and when its answer began, in milliseconds of this process. */
let calls = [];
const open = new Map();
const begin = (request) => {
  const call = { method: request.method, path: request.path, fromMs: performance.now(), toMs: null };
  open.set(request, call);
  calls.push(call);
};
const end = (request) => {
  const call = open.get(request);
  if (call) call.toMs = performance.now();
};
const watch = () => {
  diagnostics.subscribe('http.client.request.start', ({ request }) => begin(request));
  diagnostics.subscribe('http.client.response.finish', ({ request }) => end(request));
};

const startMs = performance.now();
const { handler } = await import(file);
const importMs = performance.now() - startMs;
const passes = [];
for (const [index, event] of events.entries()) {
  if (index === 1) watch();
  if (event.ask) await fetch(event.ask);
  calls = [];
  const fromMs = performance.now();
  await handler(event.event, context);
  passes.push({ ms: performance.now() - fromMs, fromMs, calls, peakBytes: process.resourceUsage().maxRSS * 1024 });
}
written(`\n${JSON.stringify({ importMs, passes })}\n`, () => process.exit());
