/** Makes the file of a new segment, so that its name stands only for a whole and durable head. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { JournalError, isNoRoom } from "../journal-error.ts";
import {
  draftSuffix,
  encodeSegmentHeader,
  type SegmentHeader,
  segmentName,
} from "./segment-header.ts";
import { writeAll } from "./write-all.ts";

/** A new segment, open for writing. */
export interface CreatedSegment {
  readonly name: string;
  readonly file: JournalFile;
  readonly headerBytes: number;
}

/** Throws `journal_full` when there is no room, and then leaves nothing behind; any other error is the system's. */
export async function createSegment(
  fileSystem: JournalFileSystem,
  { folder, header }: { folder: string; header: SegmentHeader },
): Promise<CreatedSegment> {
  const name = segmentName(header.number);
  const draft = join(folder, name + draftSuffix);
  const bytes = encodeSegmentHeader(header);
  const file = await createDraft(fileSystem, draft, bytes);
  try {
    await file.sync();
    await fileSystem.rename(draft, join(folder, name));
    await fileSystem.syncFolder(folder);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { name, file, headerBytes: bytes.length };
}

async function createDraft(
  fileSystem: JournalFileSystem,
  draft: string,
  bytes: Uint8Array,
): Promise<JournalFile> {
  let file: JournalFile | undefined;
  try {
    file = await fileSystem.open(draft, "create");
    await writeAll(file, bytes, 0);
    return file;
  } catch (error) {
    await file?.close();
    if (!isNoRoom(error)) throw error;
    if (file !== undefined) await fileSystem.remove(draft);
    throw new JournalError("journal_full", "There is no room for a new segment.", { cause: error });
  }
}
