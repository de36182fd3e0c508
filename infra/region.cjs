/** The bridge from serverless.yml to region.ts, as template.cjs is to template.ts. */
const { output } = require('./node.cjs');

module.exports = () => output('region.ts', []);
