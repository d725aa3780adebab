/** Bounds of what one tenant may have of bundles, aliases and kill switches. */

export const bundleStoreLimits = {
  bundleCountMax: 200,
  versionCountMax: 1_000,
  aliasCountMax: 200,
  /** Revisions that the history of an alias shows; older ones stay stored. */
  shownRevisionCountMax: 1_000,
  /** Kill switches that hold. */
  killSwitchCountMax: 500,
  shownKillSwitchCountMax: 1_000,
  /** Differences that one comparison lists. */
  changeCountMax: 1_000,
  /** Faults that are told of one document. */
  faultCountMax: 50,
} as const;
