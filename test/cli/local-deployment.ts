/** A world without functions, and the environment in which the commands find it: enough for what only reads. */
import { startWorld, TOKEN_PARAMETER, type World, type WorldOptions } from '../../lib/simulation/local/world.ts';

const UID = '5999b763474b0eafa5fafb64bff0ba80';
export const LION = 'e63e859d5ab72b0bcf14321f0ffb013d';
export const TIGER = 'f74f960e6bc83c1cdf25432f1aac124e';
/** The queue of the target; nobody works on it. */
export const QUEUE = 'jobs';

/** A stack with one worker on lion and none on tiger. */
export async function startDeployment(options: Partial<WorldOptions> = {}): Promise<World> {
  return await startWorld({
    packaged: { template: { Resources: {} }, artifactsFolder: '.' },
    stacks: [
      {
        uid: UID,
        servers: [
          { uid: LION, name: 'lion' },
          { uid: TIGER, name: 'tiger' },
        ],
        processes: [{ name: 'worker', counts: { [LION]: 1, [TIGER]: 0 } }],
      },
    ],
    queueOf: { worker: 'idle' },
    jobSeconds: 1,
    seed: 1,
    cloud: { queues: { [QUEUE]: {} } },
    ...options,
  });
}

/** Variables under which `world` is the deployment; nothing of this process's own environment is among them. */
export function environmentOf(world: World, changes: Readonly<Record<string, string>> = {}) {
  return {
    STACK_UID: UID,
    PROCESS_NAME: 'worker',
    QUEUE_NAME: QUEUE,
    STRATEGY: 'backlog',
    CLOUD66_TOKEN_PARAMETER: TOKEN_PARAMETER,
    CLOUD66_API_URL: world.cloud66.url,
    AWS_ENDPOINT_URL: world.cloud.endpoint,
    AWS_ACCESS_KEY_ID: world.cloud.operatorAccessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: 'us-east-1',
    ...changes,
  };
}
