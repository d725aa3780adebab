/** A provider's invoice as CSV: a line of names, then one line for each provider and model. */

import { readFile } from "node:fs/promises";

import { type InvoiceLine, PlatformError } from "@faultline/protocol";

import { readIsoMs } from "../moment.ts";
import { microsOf } from "./amount-text.ts";

const names = ["provider", "model", "currency", "amount"] as const;
const lineCountMax = 10_000;

/** An invoice as a file says it. */
export interface InvoiceFile {
  readonly lines: InvoiceLine[];
  /** The time that it is for, as the file spells it, where all its lines say the same. */
  readonly from?: string;
  readonly until?: string;
}

/** Reads the file. Throws `evidence_unreadable` with the line that is none. */
export async function readInvoice(path: string): Promise<InvoiceFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new PlatformError("evidence_unreadable", `The invoice ${path} cannot be read.`, {
      where: path,
      cause: error,
    });
  }
  return parseInvoice(text, path);
}

/** Reads the text of an invoice; `path` names it in errors. */
export function parseInvoice(text: string, path: string): InvoiceFile {
  const [header, ...rows] = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ cells: cellsOf(line), number: index + 1 }))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  const columns = names.map(
    (name) => header?.cells.findIndex((cell) => cell.toLowerCase() === name) ?? -1,
  );
  if (columns.includes(-1)) {
    throw new PlatformError("evidence_unreadable", `The invoice ${path} has no columns of ours.`, {
      where: `${path}, line 1`,
      hint: `Its first line names the columns ${names.join(", ")}.`,
    });
  }
  if (rows.length > lineCountMax) {
    throw new PlatformError("limit_exceeded", `An invoice has at most ${lineCountMax} lines.`, {
      where: path,
    });
  }
  const lines = rows.map(({ cells, number }) => {
    const [provider = "", model = "", currency = "", amount = ""] = columns.map(
      (column) => cells[column] ?? "",
    );
    if (provider === "" || model === "" || currency === "" || amount === "") {
      throw new PlatformError("evidence_unreadable", "A line of the invoice lacks a value.", {
        where: `${path}, line ${number}`,
      });
    }
    return { provider, model, currency, amountMicros: microsOf(amount) };
  });
  return { lines, ...periodOf(header?.cells ?? [], rows, path) };
}

interface Row {
  readonly cells: readonly string[];
  readonly number: number;
}

/** Its columns `from` and `until`, where it has both. */
function periodOf(
  header: readonly string[],
  rows: readonly Row[],
  path: string,
): Pick<InvoiceFile, "from" | "until"> {
  const columns = ["from", "until"].map((name) =>
    header.findIndex((cell) => cell.toLowerCase() === name),
  );
  const [first] = rows;
  if (columns.includes(-1) || first === undefined) return {};
  const cellsIn = (row: Row): string[] => columns.map((column) => row.cells[column] ?? "");
  const [from = "", until = ""] = cellsIn(first);
  if (readIsoMs(from) === undefined || readIsoMs(until) === undefined) {
    throw new PlatformError("evidence_unreadable", "The time of the invoice is no time.", {
      where: `${path}, line ${first.number}`,
      hint: "Write `from` and `until` as 2026-01-31 or 2026-01-31T12:00:00Z.",
    });
  }
  const other = rows.find((row) => cellsIn(row).join() !== [from, until].join());
  if (other !== undefined) {
    throw new PlatformError("evidence_unreadable", "The lines are not all for one time.", {
      where: `${path}, line ${other.number}`,
      hint: "Compare the lines of each time by themselves, with the same `from` and `until` in each.",
    });
  }
  return { from, until };
}

/** The cells of a line; quotes around one may hold commas, and two stand for one. */
function cellsOf(line: string): string[] {
  const cells = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g);
  return [...cells].map(([, quoted, plain]) =>
    (quoted?.replaceAll('""', '"') ?? plain ?? "").trim(),
  );
}
