import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

const SETTINGS = {
  STACK_UID: '5999b763474b0eafa5fafb64bff0ba80',
  PROCESS_NAME: 'worker',
  QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/jobs',
  CLOUD66_TOKEN_PARAMETER: '/cloud66/token',
  AWS_REGION: 'us-east-1',
};
/** Neither keys, nor files, nor a machine that has any. */
const NOBODY = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };

describe('a machine without AWS credentials', () => {
  it.each([['explain'], ['shadow-report'], ['override', '--list']])('is told so by %s, once', async (...options) => {
    const { code, stderr } = await runCommand(options, { ...SETTINGS, ...NOBODY });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^This machine has no AWS credentials: set AWS_PROFILE, or log in \(aws sso login\)\. .*\n$/m,
    );
    expect(stderr).not.toMatch(/CredentialsProviderError|\n {4}at /);
  });

  it('is told so by doctor, which looks at nothing else', async () => {
    const { code, stdout } = await runCommand(['doctor', '--json'], { ...SETTINGS, ...NOBODY });
    const { checks, ok } = JSON.parse(stdout) as { readonly checks: readonly unknown[]; readonly ok: boolean };
    expect([code, ok]).toEqual([1, false]);
    expect(checks).toMatchObject([
      { id: 'credentials', status: 'fail', advice: expect.stringContaining('AWS_PROFILE') },
    ]);
  });
});
