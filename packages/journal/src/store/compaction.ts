/**
 * Compaction: what was written since the last one is merged into the base, piece by piece, and the outcome is also the
 * new snapshot file. Writers go on meanwhile; the log gives up what two snapshot files hold.
 */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { logStart } from "../log/position.ts";
import type { BaseStep } from "./base-history.ts";
import type { Block } from "./block.ts";
import type { CommitLog } from "./commit-log.ts";
import { snapshotFileCountKept } from "./limits.ts";
import { mergeSealed } from "./merge.ts";
import { Pace, type StoreClock } from "./pace.ts";
import type { KeptSnapshot } from "./recover.ts";
import { SnapshotDraft } from "./snapshot-draft.ts";
import { snapshotNames } from "./snapshot-name.ts";
import type { VersionedMap } from "./versioned-map.ts";

export interface CompactorParts {
  readonly map: VersionedMap;
  readonly log: CommitLog;
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly clock: StoreClock;
  readonly blockBytes: number;
  /** When as much as this waits for the next compaction, the one under way does not rest. */
  readonly compactionBytes: number;
  /** Snapshot files that can be recovered from, newest first. */
  readonly snapshots: readonly KeptSnapshot[];
}

/** Runs compactions, one at a time. */
export class Compactor {
  readonly #parts: CompactorParts;
  #snapshots: readonly KeptSnapshot[];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: CompactorParts) {
    this.#parts = parts;
    this.#snapshots = parts.snapshots;
  }

  /** Merges all commits so far into a snapshot file; waits for a compaction that is under way. */
  async compact(signal: AbortSignal): Promise<void> {
    const turn = this.#turn.then(async () => await this.#compact(signal));
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  async #compact(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { map, log, fileSystem, folder, clock, blockBytes, compactionBytes } = this.#parts;
    // Taken before the seal, so that everything after it is in the file or behind this place in the log.
    const from = map.newestPlaced;
    const sealedVersion = map.seal();
    await map.whenVisible(sealedVersion);
    const content = map.sealedContent();
    const nowMs = clock.nowMs();
    if (content.overlays.length === 0 && content.base.expiresAtMsMin > nowMs) return;

    const replayFrom = from?.position ?? logStart;
    await using draft = await SnapshotDraft.create(fileSystem, folder, {
      version: content.version,
      replayFrom,
      replayVersion: from?.version ?? 0,
      createdAtMs: nowMs,
    });
    const pace = new Pace(clock, () => map.activeBytes >= compactionBytes);
    const sink = {
      write: async (block: Block) => await draft.write(block),
      advance: (step: BaseStep) => map.replaceBase(step),
    };
    await mergeSealed(content, sink, { nowMs, blockBytes, pace, signal });
    const name = await draft.place();
    map.retireMerged(content);

    const older = this.#snapshots.filter((snapshot) => snapshot.name !== name);
    this.#snapshots = [{ name, replayFrom }, ...older].slice(0, snapshotFileCountKept);
    await this.#dropOlder(log);
  }

  /** Lets go of snapshot files that are not kept, and of the log before the oldest that is. */
  async #dropOlder(log: CommitLog): Promise<void> {
    const { fileSystem, folder } = this.#parts;
    const oldest = this.#snapshots.at(-1);
    // Until there are two files, the whole log stands in for the second.
    if (oldest === undefined || this.#snapshots.length < snapshotFileCountKept) return;
    await log.dropBefore(oldest.replayFrom);
    const kept = new Set(this.#snapshots.map(({ name }) => name));
    for (const name of snapshotNames(await fileSystem.list(folder))) {
      if (!kept.has(name)) await fileSystem.remove(join(folder, name));
    }
  }
}
