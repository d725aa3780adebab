/** The commands by name. Each is loaded only when it is called, so that a small command starts fast. */

import type { Command } from "../command.ts";

export const commands = {
  up: () => import("./up.ts"),
  check: () => import("./check.ts"),
  contract: () => import("./contract.ts"),
  snapshot: () => import("./snapshot.ts"),
  case: () => import("./case.ts"),
  drill: () => import("./drill.ts"),
  bundle: () => import("./bundle.ts"),
  key: () => import("./key.ts"),
  ledger: () => import("./ledger.ts"),
  reservation: () => import("./reservation.ts"),
  journal: () => import("./journal.ts"),
  backup: () => import("./backup.ts"),
  doctor: () => import("./doctor.ts"),
} as const satisfies Record<string, () => Promise<{ command: Command }>>;

export type CommandName = keyof typeof commands;
