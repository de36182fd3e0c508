/** Lets `serverless package` and `serverless deploy` make the bundles, and one archive per function with only its own. */
const { mkdir, readFile, writeFile } = require('node:fs/promises');
const path = require('node:path');

class BundlePlugin {
  constructor(serverless) {
    this.root = serverless.serviceDir;
    this.custom = () => serverless.service.custom;
    this.hooks = {
      'before:package:createDeploymentArtifacts': () => this.archive(),
    };
  }

  /** Writes `.serverless/NAME.zip`, where `package.artifact` of each function in serverless.yml points. */
  async archive() {
    const [{ bundle }, { zipOf }] = await Promise.all([import('./bundle.mjs'), import('./zip.mjs')]);
    const folder = path.join(this.root, '.serverless');
    const { packagedTargets } = this.custom().template;
    await mkdir(folder, { recursive: true });
    for (const { name, file } of await bundle(this.root)) {
      const files = new Map([[`functions/${name}.mjs`, await readFile(file)]]);
      // Read by lib/config/packaged-targets.ts, beside the code.
      if (name === 'scale' && packagedTargets) {
        files.set('functions/targets.json', Buffer.from(JSON.stringify(packagedTargets)));
      }
      await writeFile(path.join(folder, `${name}.zip`), zipOf(files));
    }
  }
}

module.exports = BundlePlugin;
