/** `faultline ledger reconcile`: what does not agree, the entries that would settle it, and what earlier runs found. */

import { exportedDifferenceKinds, printable } from "@faultline/contracts";
import type {
  BookedInvoice,
  InvoiceLine,
  LedgerDifference,
  Reconciliation,
  ReconciliationRun,
  ReconciliationRunDetail,
} from "@faultline/protocol";

import { type CommandContext, type CommandOption, UsageError } from "../command.ts";
import { connect, switchOption, textOption } from "../connection.ts";
import { parseDurationMs, parseMoment } from "../moment.ts";
import type { Terminal } from "../terminal.ts";
import { unitsOf } from "./amount-text.ts";
import { foreignTable } from "./foreign-table.ts";
import { readInvoice } from "./read-invoice.ts";
import { tell } from "./tell.ts";

const exitDiffers = 1;
const invoiceWindow = "30d";

/** Of `ledger reconcile`. */
export const reconcileOptions = {
  invoice: {
    type: "string",
    value: "FILE",
    description: "a provider's invoice: CSV with provider, model, currency, amount",
  },
  apply: { type: "boolean", description: "make the entries that are proposed" },
  book: { type: "boolean", description: "enter the invoice as cost of its providers" },
  history: { type: "boolean", description: "list the runs that were made, or show one" },
} as const satisfies Record<string, CommandOption>;

/** Exits with 1 where something differs. */
export async function reconcile(
  context: CommandContext,
  words: readonly string[],
): Promise<number> {
  if (switchOption(context, "history")) return history(context, words);
  if (words.length > 0) throw new UsageError("ledger reconcile takes options only.");
  const path = textOption(context, "invoice");
  const books = switchOption(context, "book");
  if (books && path === undefined) throw new UsageError("--book takes an --invoice FILE.");
  const body = {
    apply: switchOption(context, "apply"),
    book: books,
    ...(path === undefined ? {} : { invoice: await readAskedInvoice(context, path, books) }),
  };
  const { signal } = context;
  const found = await connect(context).client.reconcileLedger({ body }, { signal });
  tell(context, found, () => reconciliationLines(found));
  return found.differences.length === 0 ? 0 : exitDiffers;
}

/** Of an invoice that is entered the time is said, not counted from now: by it the same one is known again. */
async function readAskedInvoice(
  context: CommandContext,
  path: string,
  books: boolean,
): Promise<{ from: string; until: string; lines: InvoiceLine[] }> {
  const { lines, from, until } = await readInvoice(path);
  const nowMs = context.clock.nowMs();
  const moment = (name: string, ofFile: string | undefined, otherwise: string): string => {
    const said = textOption(context, name) ?? ofFile;
    if (books && (said === undefined || parseDurationMs(said) !== undefined)) {
      throw new UsageError(
        `--book takes the time of the invoice as dates, so that it is entered once: --from 2026-01-01 --until 2026-02-01, or columns from and until in ${path}.`,
      );
    }
    return parseMoment(name, said ?? otherwise, nowMs);
  };
  return { from: moment("from", from, invoiceWindow), until: moment("until", until, "0s"), lines };
}

/** Lines of providers' invoices that were entered as cost. */
export async function invoices(context: CommandContext, words: readonly string[]): Promise<number> {
  if (words.length > 0) throw new UsageError("ledger invoices takes no words.");
  const { signal, terminal } = context;
  const found = await connect(context).client.listInvoices({}, { signal });
  return tell(context, found, () =>
    found.invoices.length === 0
      ? "No invoice was entered; `faultline ledger reconcile --invoice FILE --book` enters one."
      : invoiceTable(terminal, found.invoices),
  );
}

function invoiceTable(terminal: Terminal, lines: readonly BookedInvoice[]): string {
  return foreignTable(
    terminal,
    ["FOR", "FROM", "UNTIL", "INVOICED", "CHARGED", "ENTERED"],
    lines.map(({ name, from, until, currency, amountMicros, chargedMicros, bookedAt }) => [
      name,
      from,
      until,
      `${unitsOf(amountMicros)} ${currency}`,
      unitsOf(chargedMicros),
      bookedAt,
    ]),
  );
}

async function history(context: CommandContext, words: readonly string[]): Promise<number> {
  const { signal, terminal } = context;
  const { client } = connect(context);
  const [id, ...rest] = words;
  if (rest.length > 0) throw new UsageError("ledger reconcile --history takes one RUN at most.");
  if (id !== undefined) {
    const run = await client.readReconciliation({ params: { id } }, { signal });
    return tell(context, run, () => runLines(run));
  }
  const count = textOption(context, "count");
  if (count !== undefined && !/^[1-9]\d{0,2}$/.test(count))
    throw new UsageError(`--count takes a whole number; '${count}' is none.`);
  const beforeId = textOption(context, "before");
  const query = {
    ...(count === undefined ? {} : { limit: Number(count) }),
    ...(beforeId === undefined ? {} : { beforeId }),
  };
  const { runs } = await client.listReconciliations({ query }, { signal });
  return tell(context, { runs }, () =>
    runs.length === 0 ? "Nothing was compared yet." : runTable(terminal, runs),
  );
}

function runTable(terminal: Terminal, runs: readonly ReconciliationRun[]): string {
  return foreignTable(
    terminal,
    ["RUN", "AT", "BY", "DIFFERENCES", "ENTRIES"],
    runs.map(({ id, at, cause, actor, kinds, applied }) => [
      id,
      at,
      actor ?? cause,
      kinds.length === 0 ? "none" : kinds.map(({ kind, count }) => `${count} ${kind}`).join(", "),
      String(applied.length),
    ]),
  );
}

function runLines(run: ReconciliationRunDetail): string {
  const { at, actor, cause, differenceCount, differences } = run;
  const left = differenceCount - differences.length;
  return [
    `${at}, by ${printable(actor ?? cause)}: ${differenceCount} differences.`,
    ...differences.map((difference) => linesOf(difference, run.applied)),
    ...(left > 0 ? [`${left} more were counted and not kept.`] : []),
  ].join("\n");
}

function reconciliationLines({ differences, cut, applied, booked }: Reconciliation): string {
  const lines = differences.map((difference) => linesOf(difference, applied));
  if (lines.length === 0) lines.push("Everything agrees.");
  for (const kind of cut)
    lines.push(`Of ${kind} only the first are told. Run it again once they are settled.`);
  lines.push(...caseLines(differences));
  if (booked.length > 0)
    lines.push(
      `The cost of the invoice stands in provider-cost, by ${booked.length === 1 ? "1 entry" : `${booked.length} entries`}.`,
    );
  return lines.join("\n");
}

/** How a case is opened on the first difference that a case about the ledger finds. */
function caseLines(differences: readonly LedgerDifference[]): string[] {
  const shown: ReadonlySet<string> = new Set(exportedDifferenceKinds);
  const first = differences.find(({ kind }) => shown.has(kind));
  const [invoiced] = differences.filter(({ kind }) => kind === "invoice-differs");
  const one = first ?? invoiced;
  if (one === undefined) return [];
  const words = `case open "The books do not agree" --subject ledger:${printable(one.subject)}`;
  return [`Open a case: faultline ${words}${first === undefined ? " --invoice FILE" : ""}`];
}

function linesOf(difference: LedgerDifference, applied: readonly string[]): string {
  const { kind, message, proposal } = difference;
  const line = `${kind}: ${printable(message)}${amountWords(difference)}`;
  if (proposal === undefined) return line;
  const verb = applied.includes(proposal.commandId) ? "settled by" : "would be settled by";
  const { direction, commandId, holdId = "" } = proposal;
  const amount = `${unitsOf(proposal.amountMicros)} ${proposal.currency}`;
  if (direction === "take" && holdId !== "")
    return `${line}\n  ${verb} ${printable(commandId)}: charge ${amount} to ${printable(holdId)}`;
  if (direction === "release")
    return `${line}\n  ${verb} ${printable(commandId)}: release ${printable(holdId)}, ${amount}`;
  return `${line}\n  ${verb} the adjustment ${printable(commandId)}: ${direction} ${amount}`;
}

/** What a message says in micros, in units, where the currency is known. */
function amountWords({
  kind,
  subject,
  proposal,
  expectedMicros,
  actualMicros,
}: LedgerDifference): string {
  const isOfAccount = kind === "balance-differs" || kind === "debt-blocks";
  const ofAccount = isOfAccount ? subject.slice(subject.lastIndexOf("/") + 1) : undefined;
  const currency = proposal?.currency ?? ofAccount;
  if (currency === undefined) return "";
  const units = [expectedMicros, actualMicros].map((micros) => `${unitsOf(micros)} ${currency}`);
  return `\n  expected ${units[0]}, found ${units[1]}`;
}
