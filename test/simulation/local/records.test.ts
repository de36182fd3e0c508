import { describe, expect, it } from 'vitest';
import { recordOf } from '../../../lib/simulation/local/records.ts';

describe('a line of a function', () => {
  it('that holds a record is read', () => {
    expect(recordOf('{"level":"info","message":"hello"}')).toEqual({ level: 'info', message: 'hello' });
  });

  it.each([
    ['metrics', '{"_aws":{},"message":"x"}'],
    ['text', 'REPORT RequestId: 1'],
    ['half a record', '{"message":'],
    ['JSON of something else', '{"hello":1}'],
    ['nothing', ''],
  ])('that is none (%s) is left out', (_title, line) => {
    expect(recordOf(line)).toBeNull();
  });
});
