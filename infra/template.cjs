/**
 * The bridge from serverless.yml to template.ts: the framework runs `.cjs` files only, and template.ts needs a Node that
 * runs TypeScript, so it is run as a program of its own and its output read. No template content belongs here.
 */
const { output } = require('./node.cjs');

module.exports = async ({ resolveVariable, resolveConfigurationProperty }) => {
  const service = await resolveConfigurationProperty(['service']);
  const stage = await resolveVariable('sls:stage');
  const region = await resolveVariable('self:provider.region');
  return JSON.parse(output('template.ts', [service, stage, region]));
};
