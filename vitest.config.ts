import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'], sequence: { groupOrder: 0 } },
      },
      {
        // Whole worlds with processes of their own, in scaled time: alone on the machine, one file after the other.
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          maxConcurrency: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    reporters: ['default', ['json', { outputFile: '.cache/test-results.json' }]],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      exclude: ['lib/cli/**', 'lib/simulation/**'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: {
        'lib/policy/**': { lines: 95, branches: 95 },
        'lib/cloud66/**': { lines: 95, branches: 95 },
        'lib/config/**': { lines: 95, branches: 95 },
      },
    },
  },
});
