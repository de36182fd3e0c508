/** What the local run scales. */
import type { StackSeed } from '../cloud66/model.ts';

export const LOCAL_STACK_UID = '5999b763474b0eafa5fafb64bff0ba80';
export const LOCAL_PROCESS = 'worker';
export const LOCAL_QUEUE = 'jobs';
/** `MIN_WORKERS` of the local target. */
export const LOCAL_MIN_WORKERS = 1;

/** The stack that is scaled: two servers, one worker. */
export const LOCAL_STACK: StackSeed = {
  uid: LOCAL_STACK_UID,
  name: 'shop',
  servers: [
    { uid: 'e63e859d5ab72b0bcf14321f0ffb013d', name: 'lion' },
    { uid: 'f74f960e6bc83c1cdf25432f1aac124e', name: 'tiger' },
  ],
  processes: [
    {
      name: LOCAL_PROCESS,
      command: 'bundle exec sidekiq',
      stopSequence: 'term, 90, kill',
      counts: { e63e859d5ab72b0bcf14321f0ffb013d: LOCAL_MIN_WORKERS, f74f960e6bc83c1cdf25432f1aac124e: 0 },
    },
  ],
};
