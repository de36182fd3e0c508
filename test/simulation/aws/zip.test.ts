import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unzip } from '../../../lib/simulation/aws/zip.ts';
import { zipOf } from './zip-writer.ts';

describe('unzip', () => {
  it('gives back what was packed, stored or deflated', () => {
    const path = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8})?$/);
    fc.assert(
      fc.property(
        fc.dictionary(path, fc.string(), { noNullPrototype: true }),
        fc.constantFrom(0, 8),
        (files, method) => {
          const unpacked = unzip(zipOf(files, method as 0 | 8));
          expect(Object.fromEntries([...unpacked].map(([name, content]) => [name, content.toString()]))).toEqual(files);
        },
      ),
    );
  });

  it('leaves folders out and finds the directory before a comment', () => {
    const archive = Buffer.concat([zipOf({ 'a/': '', 'a/b.txt': 'text' }), Buffer.from('comment')]);
    expect([...unzip(archive).keys()]).toEqual(['a/b.txt']);
  });

  it('refuses what it cannot read', () => {
    expect(() => unzip(Buffer.from('no archive, but long enough to hold an end record'))).toThrow(/not an archive/);
    expect(() => unzip(zipOf({ '../outside.txt': 'x' }))).toThrow(/leads outside/);
    const odd = zipOf({ 'a.txt': 'x' });
    odd.writeUInt16LE(12, odd.indexOf('PK\x01\x02', 0, 'latin1') + 10);
    expect(() => unzip(odd)).toThrow(/packed with method 12/);
  });
});
