/**
 * The first file that `npm start` and its siblings run, in plain JavaScript: it checks that this Node can run the
 * TypeScript of the project, and says so in one line if it cannot. Nothing else may live here.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const runsTypeScript = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

if (!runsTypeScript) {
  console.error(
    `Node ${process.versions.node} cannot run this: the package "node" (Node 24), an optional dependency, was not ` +
      'installed. Run "npm ci" again without --omit=optional, or use Node 22.18 or newer.',
  );
  process.exit(1);
}
await import('./main.ts');
