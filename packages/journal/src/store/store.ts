/**
 * A key-value store on an append-only log. All of it is in memory; what is acknowledged is in the log. Any bytes are
 * keys and values.
 */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { JournalError } from "../journal-error.ts";
import { Log } from "../log/log.ts";
import type { LogLimits } from "../log/options.ts";
import { binaryKey, keyBytes } from "./binary-key.ts";
import type { CommitLog } from "./commit-log.ts";
import { encodeCommit } from "./commit-record.ts";
import { Compactor } from "./compaction.ts";
import type { EntryWrite } from "./entry-codec.ts";
import { blockBytesTarget, compactionBytesDefault, residentBytesMaxDefault } from "./limits.ts";
import type { ScanOptions, StoreEntry, StoreReader } from "./reader.ts";
import type { StoreClock } from "./pace.ts";
import { recoverStore, type StoreRecovery } from "./recover.ts";
import { StoreSnapshot } from "./store-snapshot.ts";
import { OpenTransaction, type StoreTransaction, type TransactOutcome } from "./transaction.ts";
import type { VersionedMap } from "./versioned-map.ts";
import { readKey } from "./view.ts";
import { commitOf, ownedWrite, type StoreWrite } from "./write.ts";

/** How often a transaction is tried when the caller does not say. */
const attemptCountMaxDefault = 1;
/** A failed compaction is tried again when this part of what starts one was written since. */
const retryShare = 8;
const storeLimitsDefault: StoreLimits = {
  residentBytesMax: residentBytesMaxDefault,
  compactionBytes: compactionBytesDefault,
  blockBytes: blockBytesTarget,
  log: {},
};

export interface TransactOptions {
  /** Stops further attempts; a commit that is under way is waited for. */
  readonly signal: AbortSignal;
  /** How often the work is run when what it read was written meanwhile. One, unless given. */
  readonly attemptCountMax?: number;
}

/** What a store is opened with. */
export interface StoreOptions {
  /** Holds the snapshot files, and the log in a folder `log` of its own. It is made when it is missing. */
  readonly folder: string;
  readonly clock: StoreClock;
  /** Names a new log. */
  readonly random: { bytes(length: number): Uint8Array };
  /** Stops the opening; an open store is closed by disposal. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<StoreLimits>;
  /** The disk, unless a test brings its own. */
  readonly fileSystem?: JournalFileSystem;
}

export interface StoreLimits {
  /** Keys and values in memory with their overhead; beyond it only deletions are taken. */
  readonly residentBytesMax: number;
  /** Compaction starts when this much was written since the last one. */
  readonly compactionBytes: number;
  /** A block of a snapshot file is closed before it grows beyond this, unless one entry does. */
  readonly blockBytes: number;
  readonly log: Partial<LogLimits>;
}

/** What an open store is made of. */
export interface StoreParts {
  readonly map: VersionedMap;
  readonly log: CommitLog;
  readonly compactor: Pick<Compactor, "compact">;
  readonly recovery: StoreRecovery;
  readonly clock: { nowMs(): number };
  readonly limits: Pick<StoreLimits, "residentBytesMax" | "compactionBytes">;
}

/** Figures for metrics. */
export interface StoreStatus {
  /** Keys in the base and in what waits for compaction; a key in both counts twice. */
  readonly keyCountMax: number;
  readonly residentBytes: number;
  readonly residentBytesMax: number;
  /** Replaced by a compaction, and held for open views alone; not part of `residentBytes`. */
  readonly pinnedBytes: number;
  readonly openViewCount: number;
  readonly isCompacting: boolean;
  /** Why the last compaction failed; it is tried again as more is written. */
  readonly compactionFailure: unknown;
  /** Set once a commit could not be made durable: nothing is written any more, what was visible can still be read. */
  readonly failure: JournalError | undefined;
}

export class Store implements StoreReader, AsyncDisposable {
  /** What opening found and did. */
  readonly recovery: StoreRecovery;
  readonly #map: VersionedMap;
  readonly #log: CommitLog;
  readonly #clock: { nowMs(): number };
  readonly #limits: StoreParts["limits"];
  readonly #compactor: Pick<Compactor, "compact">;
  readonly #closed = new AbortController();
  #background: Promise<void> | undefined;
  #compactionFailure: unknown;
  /** Compaction starts when the newest overlay has grown to this. */
  #compactAtBytes: number;
  #failure: JournalError | undefined;

  /** Prefer `open`. */
  constructor(parts: StoreParts) {
    this.recovery = parts.recovery;
    this.#map = parts.map;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#limits = parts.limits;
    this.#compactor = parts.compactor;
    this.#compactAtBytes = parts.limits.compactionBytes;
  }

  /**
   * Opens the store in a folder, or begins one, as its one writer. Throws `journal_corrupt` with the file and the
   * offset when anything that was acknowledged is damaged and nothing else holds it; `journal_version_newer`,
   * `journal_locked`, `journal_full`, `journal_unreadable`.
   */
  static async open(options: StoreOptions): Promise<Store> {
    const { folder, clock, random, signal, fileSystem = nodeFileSystem } = options;
    await using stack = new AsyncDisposableStack();
    const limits = { ...storeLimitsDefault, ...options.limits };
    const log = stack.use(
      await Log.open({
        folder: join(folder, "log"),
        limits: limits.log,
        clock,
        random,
        signal,
        // Replaying reads and checks all that counts; older segments only stand in for a damaged snapshot file.
        verify: "last-segment",
        fileSystem,
      }),
    );
    const { map, snapshots, recovery } = await recoverStore({ fileSystem, folder, log, signal });
    const compactor = new Compactor({
      map,
      log,
      fileSystem,
      folder,
      clock,
      blockBytes: limits.blockBytes,
      compactionBytes: limits.compactionBytes,
      snapshots,
    });
    const store = new Store({ map, log, compactor, recovery, clock, limits });
    stack.move();
    store.#compactIfDue();
    return store;
  }

  get status(): StoreStatus {
    return {
      keyCountMax: this.#map.keyCountMax,
      residentBytes: this.#map.residentBytes,
      residentBytesMax: this.#limits.residentBytesMax,
      pinnedBytes: this.#map.pinnedBytes,
      openViewCount: this.#map.openViewCount,
      isCompacting: this.#background !== undefined,
      compactionFailure: this.#compactionFailure,
      failure: this.#failure,
    };
  }

  get(key: Uint8Array): Buffer | undefined {
    const found = readKey(this.#map.present(this.#clock.nowMs()), binaryKey(key));
    return found && Buffer.from(found.value);
  }

  /** Reads one moment, also when others write while it goes on. */
  *scan(options: ScanOptions = {}): Generator<StoreEntry, void, void> {
    using snapshot = this.snapshot();
    yield* snapshot.scan(options);
  }

  /** The present, kept until it is disposed of. */
  snapshot(): StoreSnapshot {
    return new StoreSnapshot(this.#map, this.#map.openView(this.#clock.nowMs()));
  }

  /** Resolves when the entry is durable. */
  async put(
    key: Uint8Array,
    value: Uint8Array,
    options: { readonly expiresAtMs?: number } = {},
  ): Promise<void> {
    await this.batch([{ kind: "put", key, value, ...options }]);
  }

  /** Resolves when it is durable that the key is not there. */
  async delete(key: Uint8Array): Promise<void> {
    await this.batch([{ kind: "delete", key }]);
  }

  /** Writes all or nothing, in order: of several writes of a key the last one counts. Resolves when they are durable. */
  async batch(writes: readonly StoreWrite[]): Promise<void> {
    await this.#commit(commitOf(writes.map(ownedWrite)));
  }

  /**
   * Runs `work` on one moment of the store, and commits what it writes if nothing of what it read was written since:
   * what commits is as if all transactions had run one after another. Resolves when the commit is durable.
   */
  async transact<T>(
    work: (transaction: StoreTransaction) => T | Promise<T>,
    options: TransactOptions,
  ): Promise<TransactOutcome<T>> {
    const { signal, attemptCountMax = attemptCountMaxDefault } = options;
    for (let attemptCount = 1; ; attemptCount += 1) {
      signal.throwIfAborted();
      const outcome = await this.#attempt(work, signal);
      if (outcome.kind === "conflict") {
        if (attemptCount >= attemptCountMax) {
          return { kind: "conflict", key: outcome.key, attemptCount };
        }
        // What stands in the way may not be visible yet; reading before it is would conflict again.
        await this.#map.whenVisible(this.#map.assignedVersion);
        continue;
      }
      return { kind: "committed", result: outcome.result, version: await outcome.durable };
    }
  }

  /**
   * Merges all that was written so far into a snapshot file, without what has expired, and lets go of the log before
   * the snapshot file before. Writers and readers go on meanwhile. It also happens by itself as the store is written.
   */
  async compact(signal: AbortSignal): Promise<void> {
    await this.#compactor.compact(AbortSignal.any([signal, this.#closed.signal]));
  }

  /** Waits for what was accepted, stops a compaction, and lets the folder go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(closedError());
    await this.#background;
    // A compaction that somebody asked for ends at its next slice, and must not meet a closed log.
    await this.#compactor.compact(this.#closed.signal).catch(() => undefined);
    await this.#log[Symbol.asyncDispose]();
  }

  async #attempt<T>(
    work: (transaction: StoreTransaction) => T | Promise<T>,
    signal: AbortSignal,
  ): Promise<
    { kind: "conflict"; key: Buffer } | { kind: "written"; result: T; durable: Promise<number> }
  > {
    const view = this.#map.openView(this.#clock.nowMs());
    const transaction = new OpenTransaction(view);
    try {
      const result = await work(transaction);
      const writes = transaction.end();
      signal.throwIfAborted();
      if (writes.length === 0) {
        return { kind: "written", result, durable: Promise.resolve(view.version) };
      }
      const key = this.#map.findConflict(transaction.reads, view.version);
      if (key !== undefined) return { kind: "conflict", key: keyBytes(key) };
      // Nothing runs between the validation and the commit, which is applied before the first wait.
      return { kind: "written", result, durable: this.#commit(writes) };
    } finally {
      // Also when the work failed: what goes on of it must not read a view that is closed.
      transaction.end();
      this.#map.closeView(view);
    }
  }

  /** Applies the writes at once, and resolves with their version when they are durable and visible. */
  async #commit(writes: readonly EntryWrite[]): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#closed.signal.throwIfAborted();
    if (writes.length === 0) return this.#map.visibleVersion;
    this.#checkRoom(writes);
    const record = encodeCommit({ version: this.#map.assignedVersion + 1, writes });
    const version = this.#map.apply(writes);
    const position = await this.#log.append(record).catch((error: unknown) => {
      this.#appendFailed(version, error);
      throw error;
    });
    this.#map.settle(version, position);
    this.#compactIfDue();
    await this.#map.whenVisible(version);
    return version;
  }

  #compactIfDue(): void {
    if (this.#map.activeBytes >= this.#compactAtBytes) this.#compactInBackground();
  }

  #compactInBackground(): void {
    if (this.#background !== undefined || this.#closed.signal.aborted) return;
    const { compactionBytes } = this.#limits;
    this.#background = this.#compactor
      .compact(this.#closed.signal)
      .then(
        () => {
          this.#compactionFailure = undefined;
          this.#compactAtBytes = compactionBytes;
        },
        (error: unknown) => {
          this.#compactionFailure = error;
          // Not at every commit: what failed is not likely to work at once.
          this.#compactAtBytes = this.#map.activeBytes + compactionBytes / retryShare;
        },
      )
      .finally(() => {
        this.#background = undefined;
      });
  }

  #appendFailed(version: number, error: unknown): void {
    if (isRefusal(error)) {
      this.#map.revoke(version);
      return;
    }
    // Whether the log has the commit is unknown until it is opened again; so nothing after it may be seen either.
    this.#failure ??= new JournalError(
      "journal_poisoned",
      "A commit could not be made durable; the store must be opened anew.",
      { cause: error },
    );
    this.#map.fail(this.#failure);
  }

  /** Deleting is always allowed: it is what makes room. */
  #checkRoom(writes: readonly EntryWrite[]): void {
    const { residentBytesMax } = this.#limits;
    if (this.#map.residentBytes < residentBytesMax) return;
    this.#compactInBackground();
    if (writes.every(({ value }) => value === undefined)) return;
    throw new JournalError(
      "journal_full",
      `The store holds as much as it may, ${residentBytesMax} bytes.`,
    );
  }
}

function closedError(): JournalError {
  return new JournalError("journal_closed", "The store is closed.");
}

/** Whether the log has not taken the record, and goes on: then the commit never was. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof JournalError)) return false;
  return (
    error.code === "journal_full" ||
    error.code === "journal_busy" ||
    error.code === "journal_record_too_large"
  );
}
