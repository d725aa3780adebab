/** The subset of POSIX ustar that a backup uses: regular files, one after the other, read and written as streams. */

import type { FileHandle } from "node:fs/promises";

import { PlatformError } from "@faultline/protocol";

import { assert } from "#kernel/index.ts";

const blockBytes = 512;
/** The longest name that the header holds without its prefix field. */
const nameBytesMax = 100;
/** Largest entry that a reader takes into memory. */
export const entryBytesMax = 128 * 1024 * 1024;
const magic = "ustar\u000000";

export interface TarEntry {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Appends entries to a file. `finish` writes the end mark; without it a reader refuses the archive. */
export class TarWriter {
  readonly #file: FileHandle;
  readonly #modifiedSeconds: number;

  constructor(file: FileHandle, modifiedMs: number) {
    this.#file = file;
    this.#modifiedSeconds = Math.floor(modifiedMs / 1000);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    assert(bytes.byteLength <= entryBytesMax, "an entry is small enough for its reader");
    await writeWhole(this.#file, this.#header(name, bytes.byteLength));
    await writeWhole(this.#file, bytes);
    await writeWhole(this.#file, new Uint8Array(paddingOf(bytes.byteLength)));
  }

  async finish(): Promise<void> {
    await writeWhole(this.#file, new Uint8Array(2 * blockBytes));
  }

  #header(name: string, size: number): Buffer {
    assert(Buffer.byteLength(name) <= nameBytesMax, "the name fits its field of a tar header");
    const header = Buffer.alloc(blockBytes);
    header.write(name, 0, "utf8");
    header.write("0000600\0", 100, "latin1");
    header.write("0000000\0", 108, "latin1");
    header.write("0000000\0", 116, "latin1");
    header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
    header.write(`${this.#modifiedSeconds.toString(8).padStart(11, "0")}\0`, 136, "latin1");
    header.write("0", 156, "latin1");
    header.write(magic, 257, "latin1");
    header.write(checksumFieldOf(header), 148, "latin1");
    return header;
  }
}

/**
 * Reads the entries in order, one at a time. Throws `backup_corrupt`, naming the entry, at a header whose checksum is
 * wrong, at padding that is not zero, at a missing end and at anything behind it.
 */
export async function* readTar(file: FileHandle): AsyncGenerator<TarEntry> {
  const source = new BlockSource(file);
  let previous = "the beginning";
  for (;;) {
    const header = await source.take(blockBytes, `the header after ${previous}`);
    if (isZero(header)) break;
    const { name, size } = readHeader(header, previous);
    const bytes = await source.take(size, name);
    const padding = await source.take(paddingOf(size), name);
    if (!isZero(padding)) throw corrupt(name, "its padding is not zero");
    yield { name, bytes };
    previous = name;
  }
  if (!isZero(await source.take(blockBytes, "the end mark"))) {
    throw corrupt("the end mark", "it should be two blocks of zeros");
  }
  if (!(await source.isAtEnd())) {
    throw corrupt("the end mark", "bytes follow that belong to no entry");
  }
}

/** The refusal of an archive, naming the entry at fault. */
export function corrupt(entry: string, reason: string): PlatformError {
  return new PlatformError("backup_corrupt", `The backup is corrupt at ${entry}: ${reason}.`, {
    where: entry,
    hint: "Use another copy of this backup, or an older backup.",
  });
}

function readHeader(header: Buffer, previous: string): { name: string; size: number } {
  const place = `the header after ${previous}`;
  // The whole field: the sum says nothing of the bytes that it stands in.
  if (header.toString("latin1", 148, 156) !== checksumFieldOf(header))
    throw corrupt(place, "its checksum is wrong");
  if (header.toString("latin1", 257, 265) !== magic) throw corrupt(place, "it is no ustar header");
  const name = header.toString("utf8", 0, nameBytesMax).replace(/\0.*$/s, "");
  if (header.toString("latin1", 156, 157) !== "0") throw corrupt(name, "it is no regular file");
  const size = Number.parseInt(header.toString("latin1", 124, 135), 8);
  if (!(size <= entryBytesMax)) {
    throw corrupt(name, `its size should be at most ${entryBytesMax} bytes and is ${size}`);
  }
  return { name, size };
}

/** Reads exact lengths from a file. */
class BlockSource {
  readonly #file: FileHandle;
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async take(length: number, entry: string): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(bytes, filled, length - filled, this.#position);
      if (bytesRead === 0) throw corrupt(entry, "the file ends here");
      filled += bytesRead;
      this.#position += bytesRead;
    }
    return bytes;
  }

  async isAtEnd(): Promise<boolean> {
    const { bytesRead } = await this.#file.read(Buffer.alloc(1), 0, 1, this.#position);
    return bytesRead === 0;
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, written);
    written += bytesWritten;
  }
}

/** The sum of the header's bytes, with the checksum's own field taken as spaces, as it stands in that field. */
function checksumFieldOf(header: Buffer): string {
  let sum = 0;
  header.forEach((byte, index) => {
    sum += index >= 148 && index < 156 ? 0x20 : byte;
  });
  return `${sum.toString(8).padStart(6, "0")}\0 `;
}

function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
