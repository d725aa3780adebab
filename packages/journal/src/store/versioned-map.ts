/**
 * The store in memory, many versions at once. A commit is applied at once but seen by nobody until it has settled,
 * that is, until the log has it; commits settle in the order of their versions. Nothing here waits.
 */

import { JournalError } from "../journal-error.ts";
import type { LogPosition } from "../log/position.ts";
import type { Base } from "./base.ts";
import { BaseHistory, type BaseStep } from "./base-history.ts";
import type { BinaryKey } from "./binary-key.ts";
import type { EntryWrite } from "./entry-codec.ts";
import { openViewCountMax, sealedOverlayCountMax } from "./limits.ts";
import { Overlay } from "./overlay.ts";
import type { ReadSet } from "./read-set.ts";
import { ReadVersions } from "./read-versions.ts";
import type { OpenView, View } from "./view.ts";

/** Settled commits that may stand before the head of the line until they are removed together. */
const pendingDoneCountMax = 1_024;

/** A commit and where its record stands in the log. */
export interface PlacedCommit {
  readonly version: number;
  readonly position: LogPosition;
}

/** A commit that the log does not have yet. */
interface PendingCommit {
  readonly version: number;
  readonly overlay: Overlay;
  readonly writes: readonly EntryWrite[];
  /** Where the log has it; `undefined` until it has settled. */
  position: LogPosition | undefined;
  /** Resolves when everybody may see the commit. */
  readonly visible: PromiseWithResolvers<void>;
}

/** What a compaction merges. */
export interface SealedContent {
  /** Newest first. */
  readonly overlays: readonly Overlay[];
  readonly base: Base;
  /** All commits up to this one are in it, and none after. */
  readonly version: number;
}

export class VersionedMap {
  #active = new Overlay();
  /** Full overlays that wait for compaction, newest first. */
  #sealed: Overlay[] = [];
  /** Overlays that are merged into the base, kept while a transaction may have to be validated against them. */
  #retired: Overlay[] = [];
  readonly #bases: BaseHistory;
  #sealedVersion: number;
  #assignedVersion: number;
  #visibleVersion: number;
  /** In the order of their versions; what stands before the head is done. */
  #pending: PendingCommit[] = [];
  #pendingHead = 0;
  #newest: PlacedCommit | undefined;
  readonly #readVersions = new ReadVersions();

  /** Starts from what a snapshot file holds: all commits up to `version`. */
  constructor(base: Base, version: number) {
    this.#bases = new BaseHistory(base);
    this.#sealedVersion = version;
    this.#assignedVersion = version;
    this.#visibleVersion = version;
  }

  /** The newest commit that everybody sees. */
  get visibleVersion(): number {
    return this.#visibleVersion;
  }

  /** The newest commit that everybody sees, in the log; `undefined` when there never was one. */
  get newestPlaced(): PlacedCommit | undefined {
    return this.#newest;
  }

  /** The newest commit that was applied. */
  get assignedVersion(): number {
    return this.#assignedVersion;
  }

  /** Written since the last seal. */
  get activeBytes(): number {
    return this.#active.bytes;
  }

  /** A key that stands in several layers counts in each. */
  get keyCountMax(): number {
    return this.#sealed.reduce(
      (sum, { keyCount }) => sum + keyCount,
      this.#bases.current.entryCount + this.#active.keyCount,
    );
  }

  get residentBytes(): number {
    let bytes = this.#bases.current.bytes + this.#active.bytes;
    for (const overlay of this.#sealed) bytes += overlay.bytes;
    return bytes;
  }

  /** What open views alone still hold of bases before this one. */
  get pinnedBytes(): number {
    return this.#bases.pinnedBytes;
  }

  get openViewCount(): number {
    return this.#readVersions.viewCount;
  }

  /** The present, for one read in this step of the event loop. */
  present(nowMs: number): View {
    return {
      overlays: [this.#active, ...this.#sealed],
      base: this.#bases.current,
      version: this.#visibleVersion,
      nowMs,
    };
  }

  /** A view whose versions stay until it is closed. */
  openView(nowMs: number): OpenView {
    if (this.#readVersions.viewCount >= openViewCountMax) {
      throw new JournalError(
        "store_views_exhausted",
        `${openViewCountMax} snapshots, scans and transactions are open already.`,
      );
    }
    this.#readVersions.open(this.#visibleVersion);
    return { ...this.present(nowMs), baseGeneration: this.#bases.open() };
  }

  closeView(view: OpenView): void {
    this.#readVersions.close(view.version);
    this.#bases.close(view.baseGeneration);
    this.#dropRetired();
  }

  /** A key that was read at `version` and written since, by a commit that has settled or may still do so. */
  findConflict(reads: ReadSet, version: number): BinaryKey | undefined {
    for (const overlay of [this.#active, ...this.#sealed, ...this.#retired]) {
      const key = reads.findWrittenSince(overlay, version);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  /** Applies a commit and returns its version. Nobody sees it until it and all before it have settled. */
  apply(writes: readonly EntryWrite[]): number {
    this.#assignedVersion += 1;
    const version = this.#assignedVersion;
    this.#write(writes, version);
    const visible = Promise.withResolvers<void>();
    // Who commits learns of a failure from the log; this promise may have no other reader.
    visible.promise.catch(() => undefined);
    this.#pending.push({ version, overlay: this.#active, writes, position: undefined, visible });
    return version;
  }

  /** Resolves when all commits up to `version` are visible; rejects when one of them failed. */
  whenVisible(version: number): Promise<void> {
    for (let index = this.#pending.length - 1; index >= this.#pendingHead; index -= 1) {
      const commit = this.#pending[index];
      if (commit !== undefined && commit.version <= version) return commit.visible.promise;
    }
    return Promise.resolve();
  }

  /** The log has the commit. */
  settle(version: number, position: LogPosition): void {
    const commit = this.#pending[this.#pendingIndexOf(version)];
    if (commit === undefined) return;
    commit.position = position;
    this.#advance();
  }

  /** The log has refused the commit and does not have it; it never was. */
  revoke(version: number): void {
    const index = this.#pendingIndexOf(version);
    const commit = this.#pending[index];
    if (commit === undefined) return;
    for (const { key } of commit.writes) commit.overlay.revoke(key, version);
    this.#pending.splice(index, 1);
    commit.visible.resolve(this.whenVisible(version));
    this.#advance();
  }

  /** Whether the log has what is pending is unknown; it will never be seen before the store is opened again. */
  fail(reason: Error): void {
    for (const commit of this.#pending.slice(this.#pendingHead)) commit.visible.reject(reason);
  }

  /** Applies a commit that the log has: recovery. */
  replay({ writes, version, position }: PlacedCommit & { writes: readonly EntryWrite[] }): void {
    this.#assignedVersion = version;
    this.#visibleVersion = version;
    this.#newest = { position, version };
    this.#write(writes, version);
  }

  /** Notes where a commit stands that the base already holds: recovery. */
  placeNewest(commit: PlacedCommit): void {
    this.#newest = commit;
  }

  /**
   * Begins a new overlay for what is written from now on. Returns the version up to which the old ones hold all
   * commits; once it is visible, `sealedContent` may be merged.
   */
  seal(): number {
    if (this.#active.keyCount > 0 && this.#sealed.length < sealedOverlayCountMax) {
      this.#sealed.unshift(this.#active);
      this.#active = new Overlay();
      this.#sealedVersion = this.#assignedVersion;
    }
    return this.#sealedVersion;
  }

  /** What has been sealed, for a merge. */
  sealedContent(): SealedContent {
    return { overlays: [...this.#sealed], base: this.#bases.current, version: this.#sealedVersion };
  }

  /** Takes what a merge has got to in place of the base. Open views go on with what they hold. */
  replaceBase(step: BaseStep): void {
    this.#bases.replace(step);
  }

  /** Lets go of overlays that are wholly merged into the base. */
  retireMerged(merged: SealedContent): void {
    this.#retired.unshift(...merged.overlays);
    this.#sealed = this.#sealed.filter((overlay) => !merged.overlays.includes(overlay));
    this.#dropRetired();
  }

  #write(writes: readonly EntryWrite[], version: number): void {
    const open = this.#readVersions.ascending;
    const readVersions =
      open.at(-1) === this.#visibleVersion ? open : [...open, this.#visibleVersion];
    for (const { key, value, expiresAtMs } of writes) {
      this.#active.write(key, { version, value, expiresAtMs }, readVersions);
    }
  }

  #pendingIndexOf(version: number): number {
    let index = this.#pendingHead;
    while (index < this.#pending.length && this.#pending[index]?.version !== version) index += 1;
    return index;
  }

  #advance(): void {
    for (;;) {
      const commit = this.#pending[this.#pendingHead];
      if (commit?.position === undefined) break;
      this.#visibleVersion = commit.version;
      this.#newest = { position: commit.position, version: commit.version };
      commit.visible.resolve();
      this.#pendingHead += 1;
    }
    if (this.#pendingHead === this.#pending.length) {
      // What was revoked at the end of the line is no version to wait for.
      this.#visibleVersion = this.#assignedVersion;
      this.#pending = [];
      this.#pendingHead = 0;
    } else if (this.#pendingHead > pendingDoneCountMax) {
      this.#pending.splice(0, this.#pendingHead);
      this.#pendingHead = 0;
    }
  }

  #dropRetired(): void {
    if (this.#retired.length === 0) return;
    const oldest = this.#readVersions.oldest ?? Infinity;
    this.#retired = this.#retired.filter((overlay) => overlay.newestVersion > oldest);
  }
}
