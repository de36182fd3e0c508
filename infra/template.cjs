/**
 * The bridge from serverless.yml to template.ts: the framework runs `.cjs` files only, and template.ts needs a Node that
 * runs TypeScript, so it is run as a program of its own and its output read. No template content belongs here.
 */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { nodeForTypeScript } = require('./node.cjs');

module.exports = async ({ resolveVariable, resolveConfigurationProperty }) => {
  const service = await resolveConfigurationProperty(['service']);
  const stage = await resolveVariable('sls:stage');
  const region = await resolveVariable('self:provider.region');
  return run([service, stage, region]);
};

function run(place) {
  const child = spawnSync(nodeForTypeScript(), ['--no-warnings', path.join(__dirname, 'template.ts'), ...place], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  if (child.error !== undefined || child.status !== 0) throw plain(child.stderr || String(child.error));
  process.stderr.write(child.stderr);
  return JSON.parse(child.stdout);
}

/** An error without a stack: the framework prints the stack, and here only the message helps. */
function plain(message) {
  const error = new Error(message.trim());
  error.stack = error.message;
  return error;
}
