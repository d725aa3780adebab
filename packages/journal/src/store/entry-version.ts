/** The versions of one key, newest first. */

import type { BinaryKey } from "./binary-key.ts";

/** One write of one key. */
export interface EntryVersion {
  /** The commit that wrote it. */
  readonly version: number;
  /** `undefined` is a tombstone. */
  readonly value: Buffer | undefined;
  /** On the caller's clock; infinity when the entry does not expire. */
  readonly expiresAtMs: number;
  /** The next older version, as long as a reader may need it. */
  previous: EntryVersion | undefined;
}

/** A key and its versions. */
export interface VersionChain {
  readonly key: BinaryKey;
  newest: EntryVersion;
}

/** The newest version that a reader at `version` may see. */
export function versionAt(chain: VersionChain, version: number): EntryVersion | undefined {
  let entry: EntryVersion | undefined = chain.newest;
  while (entry !== undefined && entry.version > version) entry = entry.previous;
  return entry;
}

/**
 * Lets go of the versions that no reader can reach. `readVersions` are the versions that someone reads at, ascending;
 * the last one is what everybody may see from now on, and all that is newer is kept.
 */
export function pruneChain(chain: VersionChain, readVersions: readonly number[]): void {
  let kept = chain.newest;
  let readers = readVersions.length;
  for (let entry = kept.previous; entry !== undefined; entry = entry.previous) {
    // Readers at or after the kept version see that one or a newer one.
    while (readers > 0 && (readVersions[readers - 1] ?? 0) >= kept.version) readers -= 1;
    if (readers === 0) break;
    if ((readVersions[readers - 1] ?? 0) >= entry.version || isNewerThanAll(entry, readVersions)) {
      kept.previous = entry;
      kept = entry;
    }
  }
  kept.previous = undefined;
}

function isNewerThanAll(entry: EntryVersion, readVersions: readonly number[]): boolean {
  return entry.version > (readVersions.at(-1) ?? 0);
}
