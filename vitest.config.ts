import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
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
