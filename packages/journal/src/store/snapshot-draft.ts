/** Writes a snapshot file aside, and puts it in place when it is whole and durable. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { systemCode } from "../journal-error.ts";
import { writeAll } from "../log/write-all.ts";
import type { Block } from "./block.ts";
import { draftSyncBytes } from "./limits.ts";
import {
  encodeFrameHead,
  encodeSnapshotHead,
  encodeTotals,
  frameKinds,
  type SnapshotHead,
} from "./snapshot-format.ts";
import { draftName, snapshotName } from "./snapshot-name.ts";

export class SnapshotDraft implements AsyncDisposable {
  readonly #fileSystem: JournalFileSystem;
  readonly #folder: string;
  readonly #file: JournalFile;
  readonly #version: number;
  #offset = 0;
  #syncedBytes = 0;
  #checksum: number;
  #frameBytes: Buffer = Buffer.alloc(0);
  #isOpen = true;
  #isPlaced = false;
  readonly blocks: Block[] = [];
  #entryCount = 0;

  private constructor(
    place: { fileSystem: JournalFileSystem; folder: string; file: JournalFile },
    version: number,
    checksum: number,
  ) {
    this.#fileSystem = place.fileSystem;
    this.#folder = place.folder;
    this.#file = place.file;
    this.#version = version;
    this.#checksum = checksum;
  }

  /** Begins a draft in place of one that a crash or a failure has left. */
  static async create(
    fileSystem: JournalFileSystem,
    folder: string,
    head: SnapshotHead,
  ): Promise<SnapshotDraft> {
    await removeIfThere(fileSystem, join(folder, draftName));
    const file = await fileSystem.open(join(folder, draftName), "create");
    const { bytes, checksum } = encodeSnapshotHead(head);
    const draft = new SnapshotDraft({ fileSystem, folder, file }, head.version, checksum);
    try {
      await draft.#append(bytes);
    } catch (error) {
      await draft[Symbol.asyncDispose]();
      throw error;
    }
    return draft;
  }

  async write(block: Block): Promise<void> {
    this.blocks.push(block);
    this.#entryCount += block.entryCount;
    await this.#frame({ kind: frameKinds.block, entryCount: block.entryCount }, block.bytes);
    if (this.#offset - this.#syncedBytes < draftSyncBytes) return;
    this.#syncedBytes = this.#offset;
    await this.#file.sync();
  }

  /** Makes the file whole, durable and visible, and gives its name. */
  async place(): Promise<string> {
    const totals = encodeTotals({ blockCount: this.blocks.length, entryCount: this.#entryCount });
    await this.#frame({ kind: frameKinds.end, entryCount: 0 }, totals);
    await this.#file.sync();
    this.#isOpen = false;
    await this.#file.close();
    const name = snapshotName(this.#version);
    await this.#fileSystem.rename(join(this.#folder, draftName), join(this.#folder, name));
    this.#isPlaced = true;
    await this.#fileSystem.syncFolder(this.#folder);
    return name;
  }

  /** Removes the draft unless it was put in place. A failure here is left to the next draft, which meets the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOpen) await this.#file.close().catch(() => undefined);
    this.#isOpen = false;
    if (this.#isPlaced) return;
    await this.#fileSystem.remove(join(this.#folder, draftName)).catch(() => undefined);
  }

  async #frame(frame: { kind: number; entryCount: number }, content: Uint8Array): Promise<void> {
    const head = encodeFrameHead(frame, content, this.#checksum);
    this.#checksum = head.checksum;
    // One write instead of two; the buffer is free again when it is done.
    const byteLength = head.bytes.byteLength + content.byteLength;
    if (this.#frameBytes.byteLength < byteLength) this.#frameBytes = Buffer.allocUnsafe(byteLength);
    const bytes = this.#frameBytes.subarray(0, byteLength);
    bytes.set(head.bytes);
    bytes.set(content, head.bytes.byteLength);
    await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes, this.#offset);
    this.#offset += bytes.byteLength;
  }
}

async function removeIfThere(fileSystem: JournalFileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
