/** Runs the programs of this folder, on a Node that takes TypeScript as it is: this one, or that of the packages. */
const { spawnSync } = require('node:child_process');
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
  throw plain(`Node ${process.version} cannot run TypeScript: run \`npm ci\`, or use Node 24`);
}

/** What a program of this folder prints; what it has to say beside goes to the terminal. */
function output(program, parameters) {
  const child = spawnSync(nodeForTypeScript(), ['--no-warnings', path.join(__dirname, program), ...parameters], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  process.stderr.write(child.stderr ?? '');
  if (child.error !== undefined) throw plain(String(child.error));
  // What is wrong stands on the terminal already, free of the framework's words around an error.
  if (child.status !== 0) throw plain('the settings cannot be used, see above');
  return child.stdout;
}

/** An error without a stack: the framework prints the stack, and here only the message helps. */
function plain(message) {
  const error = new Error(message);
  error.stack = error.message;
  return error;
}

module.exports = { nodeForTypeScript, output };
