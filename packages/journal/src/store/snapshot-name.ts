/** The names of snapshot files: the version that they hold, in digits that sort as numbers do. */

const digits = 16;
const namePattern = /^([0-9]{16})\.snapshot$/;

/** A snapshot file while it is being written; there is at most one. */
export const draftName = "snapshot.new";

export function snapshotName(version: number): string {
  return `${String(version).padStart(digits, "0")}.snapshot`;
}

/** The names of snapshot files among `names`, newest first. */
export function snapshotNames(names: readonly string[]): string[] {
  return names.filter((name) => namePattern.test(name)).sort((a, b) => (a < b ? 1 : -1));
}
