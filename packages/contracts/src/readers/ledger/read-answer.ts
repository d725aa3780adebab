/** Reads what the ledger answers in JSON: lists of entries, and balances. */

import { isFields } from "../../model/fields.ts";
import { ledgerEvidenceLimits, type LedgerContent } from "../../model/ledger.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { jsonValuesOf } from "../text.ts";
import { LedgerRecord } from "./ledger-record.ts";
import { readAccount, readEntry } from "./read-record.ts";

const entriesMark = /"entries"\s*:\s*\[\s*\{/;
/** Accounts are named by a kind, a stroke and a currency. */
const pathMark =
  /"from"\s*:\s*"[\w:-]{1,64}\/[A-Za-z]{3,16}"\s*,\s*"to"\s*:\s*"[\w:-]{1,64}\/[A-Za-z]{3,16}"/;
const balancesMark =
  /"balances"\s*:\s*\[\s*\{\s*"account"\s*:\s*"[\w:-]{1,64}\/[A-Za-z]{3,16}"\s*,\s*"balanceMicros"\s*:/;
const readNote = "Entries and balances were read at moments that the answer does not tell.";

/** Whether a text begins as such an answer does. */
export function recogniseAnswer(head: string): boolean {
  const hasEntries =
    entriesMark.test(head) && /"amountMicros"\s*:/.test(head) && pathMark.test(head);
  const isEmpty = /"openHoldCount"\s*:/.test(head) && /"lots"\s*:/.test(head);
  return hasEntries || (isEmpty && /"accounts"\s*:/.test(head)) || balancesMark.test(head);
}

/** Reads one answer, or one on each line. */
export function readAnswers(input: FormatInput): FileContent {
  const contents = jsonValuesOf(input.text()).map((value, index): LedgerContent => {
    const document = { value, index };
    const accounts = listIn(document, "balances", readAccount);
    const entries = listIn(document, "entries", readEntry);
    return {
      kind: "ledger",
      ...(accounts === undefined ? {} : { accounts }),
      ...(entries === undefined ? {} : { entries }),
    };
  });
  if (!contents.some(({ accounts, entries }) => (accounts ?? entries) !== undefined)) {
    throw new EvidenceError("The answer has neither entries nor balances.", {
      expected: "`entries` or `balances`, as `faultline ledger entries --json` has them",
      where: "line 1",
    });
  }
  return { contents, notes: [readNote] };
}

function listIn<Item>(
  { value, index: documentIndex }: { readonly value: unknown; readonly index: number },
  name: "balances" | "entries",
  read: (record: LedgerRecord) => Item,
): Item[] | undefined {
  const list = isFields(value) ? value[name] : undefined;
  if (!Array.isArray(list)) return undefined;
  const countMax =
    name === "entries" ? ledgerEvidenceLimits.entryCountMax : ledgerEvidenceLimits.accountCountMax;
  if (list.length > countMax) {
    throw new EvidenceError("The answer is too large.", {
      expected: `at most ${countMax} ${name}`,
    });
  }
  return list.map((item: unknown, index) => {
    const where = `document ${documentIndex + 1}, /${name}/${index}`;
    if (isFields(item)) return read(new LedgerRecord(item, where));
    throw new EvidenceError("An item of the answer is no record.", {
      expected: "an object",
      where,
    });
  });
}
