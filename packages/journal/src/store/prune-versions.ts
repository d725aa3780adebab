/** Lets go of the versions of a key that no reader can reach. */

import { type EntryTable, type KeyId, noVersion } from "./entry-table.ts";

/**
 * `readVersions` are the versions that someone reads at, ascending; the last one is what everybody may see from now on,
 * and all that is newer is kept.
 */
export function pruneVersions(table: EntryTable, id: KeyId, readVersions: readonly number[]): void {
  const visible = readVersions.at(-1) ?? 0;
  let kept = table.newestOf(id);
  let readers = readVersions.length;
  for (let at = table.previousOf(kept); at !== noVersion; at = table.previousOf(at)) {
    const keptVersion = table.versionOf(kept);
    // Readers at or after the kept version see that one or a newer one.
    while (readers > 0 && (readVersions[readers - 1] ?? 0) >= keptVersion) readers -= 1;
    if (readers === 0) break;
    const version = table.versionOf(at);
    if ((readVersions[readers - 1] ?? 0) >= version || version > visible) {
      table.setPrevious(kept, at);
      kept = at;
    }
  }
  table.setPrevious(kept, noVersion);
}
