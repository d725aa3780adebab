/** Reads the export of a ledger: a header, a line of JSON for each record, and a last line that counts them. */

import { type Fields, isFields } from "../../model/fields.ts";
import { ledgerEvidenceLimits, type LedgerContent } from "../../model/ledger.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { LedgerRecord } from "./ledger-record.ts";
import {
  readAccount,
  readEntry,
  readInvoiceLine,
  readLimit,
  readReserve,
  readUse,
} from "./read-record.ts";

const formatVersion = 1;
const cutNote = "The export ends before its last line: it is cut.";

/** Whether a text begins as an export does. */
export function recogniseExport(head: string): boolean {
  return /^[\s\uFEFF]*\{\s*"faultline"\s*:\s*"ledger"/.test(head);
}

/** Reads one export, or several one after the other. */
export function readExport(input: FormatInput): FileContent {
  const contents: LedgerContent[] = [];
  const notes: string[] = [];
  let reading: ExportReading | undefined;
  let lineNumber = 0;
  for (const line of input
    .text()
    .replace(/^\uFEFF/, "")
    .split("\n")) {
    lineNumber += 1;
    if (line.trim() === "") continue;
    const where = `line ${lineNumber}`;
    const value = lineOf(line, lineNumber);
    if (value === undefined) break;
    if (value["faultline"] === "ledger") {
      if (reading !== undefined) contents.push(reading.end(notes));
      reading = new ExportReading(value, where);
    } else if (reading === undefined) throw noHeader(where);
    else reading.add(value, where);
  }
  if (reading === undefined) throw noHeader("line 1");
  contents.push(reading.end(notes));
  return { contents, notes };

  /** The last line of a file that was cut is no JSON; any other that is none is a fault. */
  function lineOf(line: string, number: number): Fields | undefined {
    try {
      const value = parseJson(line, number - 1);
      if (isFields(value)) return value;
    } catch (error) {
      const isLast = input.text().trimEnd().endsWith(line.trimEnd()) && reading !== undefined;
      if (!(error instanceof EvidenceError) || !isLast) throw error;
      return undefined;
    }
    throw new EvidenceError("A line of the export is no record.", {
      expected: "an object of JSON on each line",
      where: `line ${number}`,
    });
  }
}

class ExportReading {
  readonly #content: LedgerContent;
  #lineCount = 0;
  #isEnded = false;
  #unknownCount = 0;

  constructor(header: Fields, where: string) {
    if (header["version"] !== formatVersion) {
      throw new EvidenceError("The export is of another version.", {
        expected: `version ${formatVersion}`,
        where,
      });
    }
    const record = new LedgerRecord(header, where);
    this.#content = {
      kind: "ledger",
      ...record.given("name", "name", (one, field) => one.text(field)),
      readMicros: record.time("at"),
      ...record.given("from", "fromMicros", (one, field) => one.time(field)),
      accounts: [],
      limits: [],
      entries: [],
      reserves: [],
      uses: [],
    };
  }

  add(line: Fields, where: string): void {
    const content = this.#content;
    const record = new LedgerRecord(line, where);
    if (record.has("end")) {
      this.#isEnded = record.record("end").count("lineCount") === this.#lineCount;
      return;
    }
    this.#lineCount += 1;
    if (record.has("account"))
      push(content.accounts, readAccount(record.record("account")), "account");
    else if (record.has("limit"))
      push(content.limits, readLimit(record.record("limit")), "limitChange");
    else if (record.has("entry")) push(content.entries, readEntry(record.record("entry")), "entry");
    else if (record.has("reserve"))
      push(content.reserves, readReserve(record.record("reserve")), "reserve");
    else if (record.has("use")) push(content.uses, readUse(record.record("use")), "use");
    else if (record.has("invoiceLine")) {
      content.invoice ??= [];
      push(content.invoice, readInvoiceLine(record.record("invoiceLine")), "invoiceLine");
    } else this.#unknownCount += 1;
  }

  /** What was read, and what is to be said of it. */
  end(notes: string[]): LedgerContent {
    if (this.#unknownCount > 0)
      notes.push(`Lines of unknown kinds were left out: ${this.#unknownCount}.`);
    if (this.#isEnded) return this.#content;
    notes.push(cutNote);
    return { ...this.#content, isCut: true };
  }
}

function push<Item>(
  list: Item[] | undefined,
  item: Item,
  kind: "account" | "limitChange" | "entry" | "reserve" | "use" | "invoiceLine",
): void {
  const countMax = ledgerEvidenceLimits[`${kind}CountMax`];
  if ((list?.length ?? 0) >= countMax) {
    throw new EvidenceError("The export is too large.", {
      expected: `at most ${countMax} records of one kind; export a shorter time`,
    });
  }
  list?.push(item);
}

function noHeader(where: string): EvidenceError {
  return new EvidenceError("The export does not begin with its header.", {
    expected: '{"faultline":"ledger","version":1,…} on the first line',
    where,
  });
}
