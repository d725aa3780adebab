/**
 * The ranks of the server's modules, lowest first. A module imports only modules of earlier rows, and only
 * through their face (`#ledger/index.ts`). Modules of one row do not know one another.
 * The lint configuration is computed from this table; `architecture.test.ts` plants violations and sees them refused.
 */

export const serverModuleRanks: readonly (readonly string[])[] = [
  ["kernel"],
  ["config"],
  ["storage"],
  ["telemetry", "identity", "catalog"],
  ["ledger"],
  ["gateway", "cases", "compute"],
  ["http"],
];

/** What each package may import of its siblings. A package not named here imports none of them. */
export const packageImports: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  journal: [],
  protocol: ["contracts"],
  server: ["contracts", "journal", "protocol"],
  cli: ["contracts", "journal", "protocol", "server"],
  console: ["contracts", "protocol"],
  testkit: ["contracts", "journal", "protocol", "server"],
};

/** Packages that must run in a browser: no `node:` import reaches them. */
export const browserPackages: readonly string[] = ["contracts", "protocol", "console"];
