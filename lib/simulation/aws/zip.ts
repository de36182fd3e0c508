/** Reads zip archives, as far as deployment packages use them: stored or deflated entries, no encryption, no zip64. */
import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
/** Lambda's limit for an unzipped deployment package. */
const UNPACKED_MAX_BYTES = 250 * 1024 * 1024;

/**
 * Files of an archive by their path, directories left out.
 * Throws an Error for anything that is not such an archive, and for paths that lead outside.
 */
export function unzip(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let unpackedBytes = 0;
  let at = directoryStart(archive);
  for (let left = entryCount(archive); left > 0; left -= 1) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      throw new Error('zip: the directory is damaged');
    }
    const nameBytes = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    unpackedBytes += archive.readUInt32LE(at + 24);
    if (unpackedBytes > UNPACKED_MAX_BYTES) {
      throw new Error(`zip: more than ${UNPACKED_MAX_BYTES} bytes unpacked`);
    }
    if (name.startsWith('/') || name.split('/').includes('..')) {
      throw new Error(`zip: the path ${name} leads outside`);
    }
    if (!name.endsWith('/')) {
      files.set(name, contentOf(archive, at, name));
    }
    at += ENTRY_BYTES + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

/** The end record is the last thing in the file, before a comment of up to 64 KiB. */
function endRecord(archive: Buffer): number {
  for (let at = archive.length - END_BYTES; at >= Math.max(0, archive.length - END_BYTES - 0xffff); at -= 1) {
    if (archive.readUInt32LE(at) === END_OF_DIRECTORY) {
      return at;
    }
  }
  throw new Error('zip: not an archive');
}

function directoryStart(archive: Buffer): number {
  return archive.readUInt32LE(endRecord(archive) + 16);
}

function entryCount(archive: Buffer): number {
  return archive.readUInt16LE(endRecord(archive) + 10);
}

function contentOf(archive: Buffer, entryAt: number, name: string): Buffer {
  const method = archive.readUInt16LE(entryAt + 10);
  const packedBytes = archive.readUInt32LE(entryAt + 20);
  const localAt = archive.readUInt32LE(entryAt + 42);
  // The local header has its own lengths of name and extra field, which differ from the directory's.
  const startAt =
    localAt + LOCAL_HEADER_BYTES + archive.readUInt16LE(localAt + 26) + archive.readUInt16LE(localAt + 28);
  const packed = archive.subarray(startAt, startAt + packedBytes);
  switch (method) {
    case 0:
      return packed;
    case 8:
      return inflateRawSync(packed, { maxOutputLength: UNPACKED_MAX_BYTES });
    default:
      throw new Error(`zip: ${name} is packed with method ${method}, expected 0 (stored) or 8 (deflated)`);
  }
}
