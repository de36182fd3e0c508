/** `npm run deployer-policy`: the IAM policy that whoever deploys needs, ready to paste. */
import { Command } from 'commander';
import { deployerPolicy } from '../../infra/deployer-policy.ts';
import { overridesParameter } from '../config/overrides-parameter.ts';
import { InvalidInputError, type Problem } from '../errors.ts';
import { nameOf } from './connect.ts';

interface PolicyOptions {
  readonly stage: string;
  readonly region?: string;
  readonly account?: string;
  readonly partition: string;
  readonly tokenParameter: string;
}

/** The `deployer-policy` command. */
export function deployerPolicyCommand(): Command {
  return new Command('deployer-policy')
    .description(
      'Prints the IAM policy for whoever deploys, changes and removes one\n' +
        'deployment, and looks at it with doctor, explain and logs. It reads no\n' +
        'settings and no account.',
    )
    .option('--stage <name>', 'the deployment', 'dev')
    .option('--region <name>', 'its region, such as eu-west-1 (required)')
    .option('--account <id>', 'its account, twelve digits (required)')
    .option('--partition <name>', 'aws, aws-cn or aws-us-gov', 'aws')
    .option('--token-parameter <name>', 'SSM parameter of the Cloud 66 token', '/cloud66-worker-autoscaler/token')
    .action((options: PolicyOptions) => {
      const { stage, region = '', account = '', partition, tokenParameter } = options;
      refuse(options);
      const parameters = [tokenParameter, overridesParameter(stage)];
      const policy = deployerPolicy({ name: nameOf(stage), partition, region, account, parameters });
      console.log(JSON.stringify(policy, null, 2));
    });
}

/** What each option must look like, and how to say so. */
const FORMS: readonly (readonly [keyof PolicyOptions, RegExp, string])[] = [
  ['stage', /^[A-Za-z][A-Za-z0-9-]{0,29}$/, 'a letter and up to 29 letters, digits and -'],
  ['region', /^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-west-1'],
  ['account', /^\d{12}$/, 'twelve digits'],
  ['partition', /^aws(-cn|-us-gov)?$/, 'aws, aws-cn or aws-us-gov'],
  ['tokenParameter', /^(\/[A-Za-z0-9_.-]+)+$/, 'a name that begins with /'],
];

function refuse(options: PolicyOptions): void {
  const problems = FORMS.flatMap(([name, form, expected]): Problem[] => {
    const found = options[name] ?? '';
    const field = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return form.test(found) ? [] : [{ field, message: `found ${JSON.stringify(found)}, expected ${expected}` }];
  });
  if (problems.length > 0) throw new InvalidInputError('deployer-policy', problems);
}
