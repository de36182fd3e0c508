/** Finds a Node that runs TypeScript as it is: this one, or the one that comes with the project's packages. */
const { existsSync } = require('node:fs');
const path = require('node:path');

/** Path of the program. Throws one line when there is none. */
function nodeForTypeScript() {
  if (process.features.typescript) return process.execPath;
  const own = path.join(
    __dirname,
    '..',
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(own)) return own;
  const error = new Error(`Node ${process.version} cannot run TypeScript: run \`npm ci\`, or use Node 24`);
  error.stack = error.message;
  throw error;
}

module.exports = { nodeForTypeScript };
