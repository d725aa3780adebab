/** Reads snapshot files. Everything is checked, lengths before memory is taken for them. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { Base } from "./base.ts";
import type { BinaryKey } from "./binary-key.ts";
import { type Block, parseBlock } from "./block.ts";
import { entryBytesMin } from "./entry-codec.ts";
import { damaged, writtenByNewer } from "./file-damage.ts";
import {
  decodeFrameHead,
  decodeSnapshotHead,
  decodeTotals,
  frameChecksum,
  frameHeadBytes,
  frameKinds,
  type SnapshotHead,
  snapshotHeadBytesMax,
} from "./snapshot-format.ts";

export interface LoadedSnapshot {
  readonly head: SnapshotHead;
  readonly base: Base;
}

interface SnapshotPlace {
  readonly folder: string;
  readonly name: string;
}

/** Reads a whole file; throws `journal_corrupt` with its name and an offset, or `journal_version_newer`. */
export async function loadSnapshot(
  fileSystem: JournalFileSystem,
  { folder, name }: SnapshotPlace,
  signal: AbortSignal,
): Promise<LoadedSnapshot> {
  const file = await fileSystem.open(join(folder, name), "read");
  try {
    const fileBytes = await file.size();
    const head = await readHead(file, { name, fileBytes });
    const frames = new FrameReader(file, { name, fileBytes, ...head });
    while (!frames.isAtEnd) {
      signal.throwIfAborted();
      await frames.readFrame();
    }
    return { head: head.head, base: new Base(frames.blocks) };
  } finally {
    await file.close();
  }
}

/** Reads only what a file says of itself. */
export async function readSnapshotHead(
  fileSystem: JournalFileSystem,
  { folder, name }: SnapshotPlace,
): Promise<SnapshotHead> {
  const file = await fileSystem.open(join(folder, name), "read");
  try {
    return (await readHead(file, { name, fileBytes: await file.size() })).head;
  } finally {
    await file.close();
  }
}

async function readHead(
  file: JournalFile,
  { name, fileBytes }: { name: string; fileBytes: number },
): Promise<ReturnType<typeof decodeSnapshotHead>> {
  const bytes = Buffer.alloc(Math.min(snapshotHeadBytesMax, fileBytes));
  const count = await file.read(bytes, 0);
  return decodeSnapshotHead(bytes.subarray(0, count), name);
}

class FrameReader {
  readonly #file: JournalFile;
  readonly #name: string;
  readonly #fileBytes: number;
  readonly #frameHead = Buffer.alloc(frameHeadBytes);
  #offset: number;
  #checksum: number;
  #entryCount = 0;
  #lastKey: BinaryKey | undefined;
  readonly blocks: Block[] = [];
  isAtEnd = false;

  constructor(
    file: JournalFile,
    start: { name: string; fileBytes: number; byteLength: number; checksum: number },
  ) {
    this.#file = file;
    this.#name = start.name;
    this.#fileBytes = start.fileBytes;
    this.#offset = start.byteLength;
    this.#checksum = start.checksum;
  }

  async readFrame(): Promise<void> {
    const place = { file: this.#name, offset: this.#offset };
    await this.#read(this.#frameHead, this.#offset);
    const contentOffset = this.#offset + frameHeadBytes;
    const bytesLeft = this.#fileBytes - contentOffset;
    const frame = decodeFrameHead(this.#frameHead, bytesLeft, place);
    const content = Buffer.allocUnsafeSlow(frame.contentBytes);
    await this.#read(content, contentOffset);
    this.#checksum = frameChecksum(this.#frameHead, content, this.#checksum);
    if (this.#checksum !== frame.checksum) throw damaged(place, 12, "a frame with its checksum");
    this.#offset = contentOffset + frame.contentBytes;
    if (frame.kind === frameKinds.block) {
      this.#addBlock(content, frame.entryCount, { file: this.#name, offset: contentOffset });
    } else if (frame.kind === frameKinds.end) {
      this.#end(content, contentOffset);
    } else if (frame.kind >= frameKinds.mustUnderstand) {
      throw writtenByNewer(place, 0, `A frame of kind ${frame.kind}`);
    }
  }

  #addBlock(content: Buffer, entryCount: number, place: { file: string; offset: number }): void {
    // Judged before memory is taken for so many entries.
    if (entryCount === 0 || entryCount > content.byteLength / entryBytesMin) {
      throw damaged(place, 0, "as many entries as fit the block, and at least one");
    }
    const block = parseBlock(content, { entryCount, after: this.#lastKey, place });
    this.blocks.push(block);
    this.#entryCount += entryCount;
    this.#lastKey = block.lastKey;
  }

  #end(content: Buffer, contentOffset: number): void {
    const place = { file: this.#name, offset: contentOffset };
    const totals = decodeTotals(content, place);
    if (totals.blockCount !== this.blocks.length || totals.entryCount !== this.#entryCount) {
      throw damaged(place, 0, "as many blocks and entries as there were");
    }
    if (this.#offset !== this.#fileBytes) {
      throw damaged({ file: this.#name, offset: this.#offset }, 0, "the end of the file");
    }
    this.isAtEnd = true;
  }

  async #read(into: Buffer, offset: number): Promise<void> {
    const count =
      offset + into.byteLength > this.#fileBytes ? -1 : await this.#file.read(into, offset);
    if (count === into.byteLength) return;
    throw damaged({ file: this.#name, offset: this.#fileBytes }, 0, "more of the file");
  }
}
