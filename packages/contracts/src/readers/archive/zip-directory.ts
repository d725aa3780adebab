/** The directory of a zip archive: what entries it has and where they lie, before anything of them is expanded. */

import { EvidenceError } from "../evidence-error.ts";

/** One entry, as the directory at the end of the archive tells of it. */
export interface ZipEntry {
  /** For a look at it and for messages; nothing is ever opened by it. */
  readonly name: string;
  /** 0 as it is, 8 deflate, 93 zstd; others are not read. */
  readonly method: number;
  readonly packedBytes: number;
  /** What it says to be after expansion, which whoever expands it verifies. */
  readonly sizeBytes: number;
  readonly isEncrypted: boolean;
  /** Of its own header, before its content. */
  readonly offset: number;
}

const localMark = 0x0403_4b50;
const entryMark = 0x0201_4b50;
const endMark = 0x0605_4b50;
const localHeaderBytes = 30;
const entryHeaderBytes = 46;
const endBytes = 22;
/** A comment at the end of the archive has at most so many bytes. */
const commentBytesMax = 65_535;
/** What a field says whose number stands in a header of zip64. */
const beyond32 = 0xffff_ffff;
const entryCountMax = 65_534;
const nameLengthMax = 200;

/** The name of the first entry, or nothing where the bytes do not begin as an archive does. */
export function firstEntryName(bytes: Uint8Array): string | undefined {
  if (bytes.length < localHeaderBytes) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== localMark) return undefined;
  const end = localHeaderBytes + view.getUint16(26, true);
  return nameOf(bytes.subarray(localHeaderBytes, end));
}

/** All entries in the order of the directory. Throws where there is no whole directory. */
export function zipEntriesOf(bytes: Uint8Array): ZipEntry[] {
  const view = viewOf(bytes);
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  if (count > entryCountMax) {
    throw new EvidenceError("The archive has too many entries.", {
      expected: `at most ${entryCountMax} entries`,
    });
  }
  let at = view.getUint32(end + 16, true);
  let packedBytes = 0;
  return Array.from({ length: count }, (): ZipEntry => {
    if (at + entryHeaderBytes > end || view.getUint32(at, true) !== entryMark) throw cut(at);
    const nameEnd = at + entryHeaderBytes + view.getUint16(at + 28, true);
    const entry = {
      name: nameOf(bytes.subarray(at + entryHeaderBytes, nameEnd)),
      method: view.getUint16(at + 10, true),
      packedBytes: view.getUint32(at + 20, true),
      sizeBytes: view.getUint32(at + 24, true),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      offset: view.getUint32(at + 42, true),
    };
    if ([entry.packedBytes, entry.sizeBytes, entry.offset].includes(beyond32)) {
      throw new EvidenceError("The archive has an entry of more than 4 GB.", {
        expected: "entries of less than 4 GB",
        where: entry.name,
      });
    }
    // Entries that lie over one another would let a small archive be expanded many times.
    packedBytes += entry.packedBytes;
    if (packedBytes > bytes.length) throw cut(at, entry.name);
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    return entry;
  });
}

/** The packed content of an entry. Throws where it does not lie in the archive. */
export function packedContentOf(bytes: Uint8Array, entry: ZipEntry): Uint8Array {
  const view = viewOf(bytes);
  const { offset, packedBytes } = entry;
  if (offset + localHeaderBytes > bytes.length || view.getUint32(offset, true) !== localMark) {
    throw cut(offset, entry.name);
  }
  const from =
    offset +
    localHeaderBytes +
    view.getUint16(offset + 26, true) +
    view.getUint16(offset + 28, true);
  if (from + packedBytes > bytes.length) throw cut(from, entry.name);
  return bytes.subarray(from, from + packedBytes);
}

/** Where the record stands with which an archive ends. */
function endOf(view: DataView): number {
  const first = Math.max(0, view.byteLength - endBytes - commentBytesMax);
  for (let at = view.byteLength - endBytes; at >= first; at -= 1) {
    if (view.getUint32(at, true) === endMark) return at;
  }
  throw cut(view.byteLength);
}

function cut(offset: number, name?: string): EvidenceError {
  const place = `byte ${offset}`;
  return new EvidenceError("The archive is cut or broken.", {
    expected: "a whole zip archive",
    where: name === undefined ? place : `${name}, ${place}`,
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function nameOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).slice(0, nameLengthMax).toWellFormed();
}
