import { expect, it } from 'vitest';
import { initText } from '../bench/init.ts';
import { measureInit } from '../bench/init-run.ts';

it('the benchmark of cold starts measures all of its handlers and prints what it measured', {
  timeout: 120_000,
}, async () => {
  const result = await measureInit({ rounds: 2 });
  const text = initText(result);
  process.stdout.write(`${text}\n`);
  const { topModules, hash, rounds, ...figures } = result;
  expect(rounds).toBe(2);
  expect(hash).toMatch(/^[0-9a-f]{12}$/);
  expect(topModules).toHaveLength(10);
  const numbers = Object.values(figures).flatMap((figure) =>
    typeof figure === 'number' ? [figure] : Object.values(figure),
  );
  expect(numbers.filter((figure) => !Number.isFinite(figure) || figure <= 0)).toEqual([]);
  expect(text).toContain(`result ${hash}`);
});
