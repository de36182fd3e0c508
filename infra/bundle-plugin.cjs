/** Lets `serverless package` and `serverless deploy` make the bundles, and one archive per function with only its own. */
const { mkdir, readFile, writeFile } = require('node:fs/promises');
const path = require('node:path');

class BundlePlugin {
  constructor(serverless) {
    this.root = serverless.serviceDir;
    this.hooks = {
      'before:package:createDeploymentArtifacts': () => this.archive(),
    };
  }

  /** Writes `.serverless/NAME.zip`, where `package.artifact` of each function in serverless.yml points. */
  async archive() {
    const [{ bundle }, { zipOf }] = await Promise.all([import('./bundle.mjs'), import('./zip.mjs')]);
    const folder = path.join(this.root, '.serverless');
    await mkdir(folder, { recursive: true });
    for (const { name, file } of await bundle(this.root)) {
      await writeFile(path.join(folder, `${name}.zip`), zipOf(`functions/${name}.mjs`, await readFile(file)));
    }
  }
}

module.exports = BundlePlugin;
