/** Writes ZIP archives, the same bytes for the same content (APPNOTE.TXT 4.3, method 8). */
import { crc32, deflateRawSync } from 'node:zlib';

/** 1980-01-01 00:00, the format's oldest time: an archive must not differ because it was made later. */
const DOS_TIME = 0;
const DOS_DATE = 0x0021;
/** Readable by everyone: Lambda unpacks as one user and runs as another. */
const FILE_MODE = 0o100644;
const VERSION = 20;
const MADE_BY_UNIX = (3 << 8) | VERSION;
const METHOD_DEFLATE = 8;

/**
 * @param {ReadonlyMap<string, Uint8Array>} files content by path within the archive, with /
 * @returns {Buffer}
 */
export function zipOf(files) {
  let offset = 0;
  const entries = [...files].map(([name, content]) => {
    const entry = entryOf(name, content, offset);
    offset += entry.local.length;
    return entry;
  });
  const directory = Buffer.concat(entries.map(({ central }) => central));
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...entries.map(({ local }) => local), directory, signature(0x06054b50), end]);
}

/** One file with its header, and its line in the directory at the end. */
function entryOf(name, content, offset) {
  const path = Buffer.from(name);
  const body = deflateRawSync(content, { level: 9 });
  const common = Buffer.alloc(26);
  common.writeUInt16LE(VERSION, 0);
  common.writeUInt16LE(METHOD_DEFLATE, 4);
  common.writeUInt16LE(DOS_TIME, 6);
  common.writeUInt16LE(DOS_DATE, 8);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(body.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(path.length, 22);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE((FILE_MODE << 16) >>> 0, 6);
  attributes.writeUInt32LE(offset, 10);
  const madeBy = Buffer.alloc(2);
  madeBy.writeUInt16LE(MADE_BY_UNIX);
  return {
    local: Buffer.concat([signature(0x04034b50), common, path, body]),
    central: Buffer.concat([signature(0x02014b50), madeBy, common, attributes, path]),
  };
}

function signature(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
