import { crc32, inflateRawSync } from 'node:zlib';

/** Reads a ZIP archive from its end, as unpackers do; fails unless it holds exactly one intact file. */
export function onlyEntry(archive: Buffer): { name: string; content: Buffer; mode: number } {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt16LE(end + 10) !== 1) throw new Error('not an archive of one file');
  const central = archive.readUInt32LE(end + 16);
  const [method, sum, size] = [
    archive.readUInt16LE(central + 10),
    archive.readUInt32LE(central + 16),
    archive.readUInt32LE(central + 20),
  ];
  const name = archive.toString('utf8', central + 46, central + 46 + archive.readUInt16LE(central + 28));
  const local = archive.readUInt32LE(central + 42);
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const content = inflateRawSync(archive.subarray(start, start + size));
  if (method !== 8 || crc32(content) !== sum) throw new Error(`${name} is damaged`);
  return { name, content, mode: archive.readUInt32LE(central + 38) >>> 16 };
}
