/** Plain tables for terminals and pipes. */

import { stripVTControlCharacters } from "node:util";

import type { Terminal } from "./terminal.ts";

/** Lays rows out in columns two spaces apart. Cells may hold colour; their visible width counts. */
export function layoutTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, visibleWidth(cell));
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1
            ? cell
            : cell + " ".repeat((widths[column] ?? 0) - visibleWidth(cell)),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A table under its titles. */
export function titledTable(
  terminal: Pick<Terminal, "style">,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return layoutTable([titles.map((title) => terminal.style("dim", title)), ...rows]);
}

function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}
