import { defineConfig } from 'vitest/config';

/** The tests of the core alone: quick, and without a socket. A mutant that waits for something is found out in seconds. */
export default defineConfig({
  test: {
    testTimeout: 3_000,
    include: ['test/{policy,actions,reconcile}/**/*.test.ts'],
    coverage: {
      provider: 'v8',
      include: ['lib/{policy,actions,reconcile}/**/*.ts'],
      reporter: ['json-summary'],
      reportsDirectory: '.cache/mutation-coverage',
    },
  },
});
