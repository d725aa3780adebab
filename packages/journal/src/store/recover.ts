/** Brings a store back from its newest snapshot file and what the log holds after it, or refuses. */

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { JournalError } from "../journal-error.ts";
import { type LogEntry, type LogPosition, logStart } from "../log/position.ts";
import { Base } from "./base.ts";
import type { CommitLog } from "./commit-log.ts";
import { decodeCommit } from "./commit-record.ts";
import { damaged } from "./file-damage.ts";
import { type LoadedSnapshot, loadSnapshot, readSnapshotHead } from "./snapshot-file.ts";
import { snapshotNames } from "./snapshot-name.ts";
import { VersionedMap } from "./versioned-map.ts";

/** A snapshot file that can be recovered from, and from where the log is needed for that. */
export interface KeptSnapshot {
  readonly name: string;
  readonly replayFrom: LogPosition;
}

/** What opening a store found and did. */
export interface StoreRecovery {
  /** The snapshot file that it starts from, if any. */
  readonly snapshotName: string | undefined;
  /** Commits that were taken from the log. */
  readonly replayedCommitCount: number;
  /** Newer snapshot files that are damaged, and that an older one and the log stand in for. */
  readonly damagedSnapshots: readonly { readonly name: string; readonly error: JournalError }[];
}

export interface RecoveredStore {
  readonly map: VersionedMap;
  /** Newest first. */
  readonly snapshots: readonly KeptSnapshot[];
  readonly recovery: StoreRecovery;
}

interface RecoverOptions {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly log: CommitLog;
  readonly signal: AbortSignal;
}

/** Called while the log is open, and so by its one writer. */
export async function recoverStore(options: RecoverOptions): Promise<RecoveredStore> {
  const { fileSystem, folder, log, signal } = options;
  const names = snapshotNames(await fileSystem.list(folder));
  const { loaded, name, damagedSnapshots } = await loadNewest(names, options);
  const map = new VersionedMap(loaded?.base ?? new Base([]), loaded?.head.version ?? 0);
  const replayedCommitCount = await replayLog(map, log, { loaded, signal });
  const older = name === undefined ? [] : names.slice(names.indexOf(name) + 1);
  const snapshots: KeptSnapshot[] = [];
  if (name !== undefined && loaded !== undefined) {
    snapshots.push({ name, replayFrom: loaded.head.replayFrom });
  }
  for (const olderName of older) {
    const replayFrom = await replayStartOf(options, olderName);
    if (replayFrom !== undefined && replayFrom >= log.start) {
      snapshots.push({ name: olderName, replayFrom });
    }
  }
  return {
    map,
    snapshots,
    recovery: { snapshotName: name, replayedCommitCount, damagedSnapshots },
  };
}

interface NewestSnapshot {
  readonly name: string | undefined;
  readonly loaded: LoadedSnapshot | undefined;
  readonly damagedSnapshots: readonly { readonly name: string; readonly error: JournalError }[];
}

/**
 * The newest snapshot file that is whole. A damaged one is passed over only if the log still holds everything after
 * the next older one, or everything at all; else the damage is thrown.
 */
async function loadNewest(
  names: readonly string[],
  { fileSystem, folder, log, signal }: RecoverOptions,
): Promise<NewestSnapshot> {
  const damagedSnapshots: { name: string; error: JournalError }[] = [];
  for (const name of names) {
    try {
      const loaded = await loadSnapshot(fileSystem, { folder, name }, signal);
      // An older file whose commits the log no longer continues would silently lose what came between.
      if (damagedSnapshots[0] !== undefined && loaded.head.replayFrom < log.start) {
        throw damagedSnapshots[0].error;
      }
      return { name, loaded, damagedSnapshots };
    } catch (error) {
      if (damagedSnapshots[0]?.error === error) throw error;
      if (!(error instanceof JournalError && error.code === "journal_corrupt")) throw error;
      damagedSnapshots.push({ name, error });
    }
  }
  if (damagedSnapshots[0] !== undefined && log.start > logStart) throw damagedSnapshots[0].error;
  return { name: undefined, loaded: undefined, damagedSnapshots };
}

async function replayLog(
  map: VersionedMap,
  log: CommitLog,
  { loaded, signal }: { loaded: LoadedSnapshot | undefined; signal: AbortSignal },
): Promise<number> {
  const { version = 0, replayFrom = logStart, replayVersion = 0 } = loaded?.head ?? {};
  // Reading from the start would begin at the oldest record that is left, and pass over those that are not.
  if (replayFrom < log.start) {
    throw damaged({ file: "log", offset: replayFrom }, 0, "the commits after the snapshot file");
  }
  let replayedCommitCount = 0;
  let previousVersion = 0;
  for await (const { position, record } of readFrom(log, replayFrom, signal)) {
    const place = { file: "log", offset: position };
    const commit = decodeCommit(record, place);
    if (previousVersion === 0 && replayVersion > 0 && commit.version !== replayVersion) {
      throw damaged(place, 0, `commit ${replayVersion}, with which the snapshot file goes on`);
    }
    if (commit.version <= previousVersion) throw damaged(place, 0, "versions that ascend");
    previousVersion = commit.version;
    if (commit.version > version) {
      map.replay({ ...commit, position });
      replayedCommitCount += 1;
    } else {
      map.placeNewest({ version: commit.version, position });
    }
  }
  if (previousVersion === 0 && replayVersion > 0) {
    throw damaged({ file: "log", offset: replayFrom }, 0, `commit ${replayVersion}`);
  }
  return replayedCommitCount;
}

/** The records from a place on that a snapshot file names. */
async function* readFrom(
  log: CommitLog,
  replayFrom: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<LogEntry, void, undefined> {
  try {
    yield* log.read(replayFrom, signal);
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    if (error.code !== "journal_position_unknown" && error.code !== "journal_position_dropped") {
      throw error;
    }
    // The file goes on at a commit that the log does not have: what was committed after the file is gone.
    throw new JournalError(
      "journal_corrupt",
      `The snapshot file and the log do not fit together: ${error.message}`,
      {
        place: { segment: "log", offset: replayFrom },
        cause: error,
      },
    );
  }
}

/** From where an older snapshot file needs the log; nothing when it does not even say that. */
async function replayStartOf(
  { fileSystem, folder }: RecoverOptions,
  name: string,
): Promise<LogPosition | undefined> {
  try {
    return (await readSnapshotHead(fileSystem, { folder, name })).replayFrom;
  } catch (error) {
    if (error instanceof JournalError && error.code === "journal_corrupt") return undefined;
    throw error;
  }
}
