/** Writes a snapshot file aside, and puts it in place when it is whole and durable. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { systemCode } from "../journal-error.ts";
import { writeAll } from "../log/write-all.ts";
import type { Block } from "./block.ts";
import { draftWriteBytes } from "./limits.ts";
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
  readonly #buffer = Buffer.allocUnsafeSlow(draftWriteBytes);
  #bufferedBytes = 0;
  #checksum: number;
  #isOpen = true;
  #isPlaced = false;
  #blockCount = 0;
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
    this.#blockCount += 1;
    this.#entryCount += block.entryCount;
    await this.#frame({ kind: frameKinds.block, entryCount: block.entryCount }, block.bytes);
  }

  /** Makes the file whole, durable and visible, and gives its name. */
  async place(): Promise<string> {
    const totals = encodeTotals({ blockCount: this.#blockCount, entryCount: this.#entryCount });
    await this.#frame({ kind: frameKinds.end, entryCount: 0 }, totals);
    await this.#flush();
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
    await this.#append(head.bytes);
    await this.#append(content);
  }

  /** Collects bytes, and writes them when the buffer is full. */
  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#bufferedBytes + bytes.byteLength > this.#buffer.byteLength) await this.#flush();
    if (bytes.byteLength > this.#buffer.byteLength) {
      await this.#write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#bufferedBytes);
    this.#bufferedBytes += bytes.byteLength;
  }

  async #flush(): Promise<void> {
    if (this.#bufferedBytes === 0) return;
    await this.#write(this.#buffer.subarray(0, this.#bufferedBytes));
    this.#bufferedBytes = 0;
  }

  /** Writes and syncs, so that no sync at the end holds up those of the log. */
  async #write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes, this.#offset);
    this.#offset += bytes.byteLength;
    await this.#file.sync();
  }
}

async function removeIfThere(fileSystem: JournalFileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
