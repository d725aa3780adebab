/** The formats of ledgers and invoices. */

import { EvidenceError } from "../evidence-error.ts";
import { type EvidenceFormat, type FormatInput, startsAsJson } from "../format.ts";
import { headerOf, TableStream } from "../tables/table-stream.ts";
import {
  entryTable,
  invoiceTable,
  LedgerRows,
  type LedgerTable,
  useTable,
} from "./ledger-tables.ts";
import { readAnswers, recogniseAnswer } from "./read-answer.ts";
import { readExport, recogniseExport } from "./read-export.ts";

/** A name as it is spelled, save its case and what stands around it. */
function spelling(name: string): string {
  return name.trim().toLowerCase();
}

function table(name: string, description: string, kind: LedgerTable): EvidenceFormat {
  const open = ({ head }: FormatInput): TableStream | undefined => {
    const header = headerOf(head);
    if (header === undefined || !kind.isKnownBy(new Set(header.names.map(spelling))))
      return undefined;
    return new TableStream(header.delimiter, new LedgerRows(kind, header.names));
  };
  return {
    name,
    description,
    recognise: (input) => open(input) !== undefined,
    open,
    read: (input) => {
      const stream = open(input);
      if (stream === undefined) {
        throw new EvidenceError("The file does not begin as a table of this kind.", {
          expected: "a header that names the columns",
          where: "line 1",
        });
      }
      stream.pushText(input.text());
      return stream.endText();
    },
  };
}

export const ledgerFormats: readonly EvidenceFormat[] = [
  {
    name: "ledger-export",
    description: "a ledger at one moment, as `faultline ledger export` gives it",
    recognise: ({ head }) => startsAsJson(head) && recogniseExport(head),
    read: readExport,
  },
  {
    name: "ledger-json",
    description: "entries and balances, as `faultline ledger entries|balance --json` give them",
    recognise: ({ head }) => startsAsJson(head) && recogniseAnswer(head),
    read: readAnswers,
  },
  table("ledger-entries-csv", "entries of a ledger as a table", entryTable),
  table("ledger-usage-csv", "uses that a ledger charged, as a table", useTable),
  table("invoice-csv", "a provider's invoice as a table by provider and model", invoiceTable),
];
