/** `faultline doctor`: looks at everything that a start needs, and explains every setting. */

import type { Diagnosis } from "@faultline/server";

import type { Command } from "../command.ts";
import { switchOption } from "../connection.ts";
import { readConfig, serverOptions } from "../server-options.ts";
import { layoutTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";

export const command: Command = {
  summary: "check versions, folders, port, database and settings, and explain each",
  usage: ["doctor [--json]"],
  options: { ...serverOptions, json: { type: "boolean", description: "print the result as JSON" } },
  notes: [
    "Exit codes: 0 all is well (perhaps with warnings), 1 something would keep the platform from starting.",
  ],
  async run(context) {
    const { terminal, signal } = context;
    const { createLogger, diagnose } = await import("@faultline/server");
    const config = await readConfig(context);
    const rows = await diagnose(config, {
      signal,
      // What it finds is its result; a log beside it would say the same twice.
      logger: createLogger({ ...config.log, level: "error" }),
      fetch: globalThis.fetch,
    });
    terminal.print(
      switchOption(context, "json")
        ? JSON.stringify(rows, undefined, 2)
        : doctorText(rows, terminal),
    );
    return rows.some((row) => row.verdict === "fail") ? 1 : 0;
  },
};

const marks = { ok: ["green", "ok  "], warn: ["yellow", "warn"], fail: ["red", "FAIL"] } as const;

function doctorText(rows: readonly Diagnosis[], terminal: Terminal): string {
  const settings = rows.filter((row) => row.origin !== undefined);
  const checks = rows.filter((row) => row.origin === undefined);
  const hints = rows.filter((row) => row.hint !== undefined);
  const mark = (row: Diagnosis): string => {
    const [style, word] = marks[row.verdict];
    return terminal.style(style, word);
  };
  return [
    layoutTable(checks.map((row) => [mark(row), row.name, row.value])),
    "",
    terminal.style("bold", "Settings"),
    layoutTable(
      settings.map((row) => [
        mark(row),
        row.name,
        row.value,
        terminal.style("dim", row.origin ?? ""),
      ]),
    ),
    ...hints.flatMap((row) => [
      "",
      `${mark(row)}  ${terminal.style("bold", row.name)}: ${row.hint ?? ""}`,
    ]),
  ].join("\n");
}
