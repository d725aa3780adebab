/** A command of the ledger without its time, which the ledger sets where it arrives. */

import type { LedgerCommand } from "../rules/commands.ts";

export type RegionRequest = LedgerCommand extends infer Command
  ? Command extends LedgerCommand
    ? Omit<Command, "atMs">
    : never
  : never;
