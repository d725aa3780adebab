/** A table whose cells come from strangers. */

import { printable } from "@faultline/contracts";

import { titledTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** A table under its titles; what would steer a terminal is shown instead. */
export function foreignTable(
  terminal: Terminal,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell)));
  return titledTable(terminal, titles, cells);
}
