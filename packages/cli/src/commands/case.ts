/** `faultline case`: from a symptom to a proof. */

import { writeFileSync } from "node:fs";

import type { CaseDetail, ProviderInvoice } from "@faultline/protocol";

import { type Actions, runAction } from "../actions.ts";
import { caseList, caseText } from "../case-text.ts";
import { type Command, type CommandContext, UsageError } from "../command.ts";
import { connect, connectionOptions, switchOption, textOption } from "../connection.ts";
import { readInvoice } from "../ledger/read-invoice.ts";
import { parseMoment } from "../moment.ts";

/** Exit codes of `case verify`: the answer to "is it proved?". */
const exitProved = 0;
const exitNotRepaired = 1;
const exitInconclusive = 3;

const actions: Actions = {
  open: openCase,
  list: listCases,
  show: showCase,
  verify: verifyCase,
  report: reportCase,
  mitigate: mitigateCase,
  close: closeCase,
};

export const command: Command = {
  summary: "open a case on a symptom, verify its repair, read its report",
  usage: [
    'case open "SYMPTOM" --subject service:NAME [--operation NAME] [--since 15m] [--until TIME] [--expected TEXT] [--actual TEXT]',
    'case open "SYMPTOM" --subject ledger:NAME [--since 15m] [--invoice FILE]',
    "case list",
    "case show CASE",
    "case verify CASE --after [--since 2m]",
    "case report CASE [--format markdown|html] [--output FILE]",
    'case mitigate CASE "WHAT WAS DONE"',
    'case close CASE "REASON"',
  ],
  options: {
    subject: {
      type: "string",
      value: "KIND:NAME",
      description:
        "what has the symptom: service:orders, or of the ledger an account, hold, use or all: ledger:debt/USD",
    },
    operation: {
      type: "string",
      value: "NAME",
      description: "narrow the case to one operation of the service",
    },
    since: {
      type: "string",
      value: "WHEN",
      description:
        "start of the window: 15m, 2h, or a time (open: 15m; verify: the end of the case's own window)",
    },
    until: { type: "string", value: "WHEN", description: "end of the window (default: now)" },
    expected: { type: "string", value: "TEXT", description: "what should happen" },
    actual: { type: "string", value: "TEXT", description: "what happens instead" },
    invoice: {
      type: "string",
      value: "FILE",
      description:
        "of the ledger: a provider's invoice, CSV with provider, model, currency, amount, from, until",
    },
    after: { type: "boolean", description: "take the snapshot after the repair, now" },
    format: {
      type: "string",
      value: "FORMAT",
      description: "of the report: markdown (default) or html",
    },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      description: "write the report to a file",
    },
    ...connectionOptions,
  },
  notes: [
    "CASE is a number or an id. Exit codes of verify: 0 proved, 1 not repaired, 3 inconclusive.",
    "",
    "Example:",
    '  faultline case open "orders is slow" --subject service:orders --since 5m',
  ],
  async run(context) {
    return await runAction(context, actions);
  },
};

async function openCase(context: CommandContext, [symptom]: readonly string[]): Promise<number> {
  if (symptom === undefined)
    throw new UsageError("case open needs the symptom in one sentence, in quotes.");
  const subject = textOption(context, "subject");
  const [kind, name] = splitOnce(subject ?? "", ":");
  if ((kind !== "service" && kind !== "ledger") || name === "") {
    throw new UsageError(
      `--subject takes service:NAME or ledger:NAME, such as service:orders; got '${subject ?? "nothing"}'.`,
    );
  }
  const nowMs = context.clock.nowMs();
  const operation = textOption(context, "operation");
  const until = textOption(context, "until");
  const expected = textOption(context, "expected");
  const actual = textOption(context, "actual");
  const invoicePath = textOption(context, "invoice");
  const invoice = invoicePath === undefined ? undefined : await invoiceOf(invoicePath, nowMs);
  const detail = await connect(context).client.openCase(
    {
      body: {
        symptom,
        subject: { kind, name, ...(operation === undefined ? {} : { operation }) },
        from: parseMoment("since", textOption(context, "since") ?? "15m", nowMs),
        ...(until === undefined ? {} : { to: parseMoment("until", until, nowMs) }),
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
        ...(invoice === undefined ? {} : { invoice }),
      },
    },
    { signal: context.signal },
  );
  print(context, detail);
  return 0;
}

async function invoiceOf(path: string, nowMs: number): Promise<ProviderInvoice> {
  const { lines, from, until } = await readInvoice(path);
  if (from === undefined || until === undefined) {
    throw new UsageError(
      `--invoice needs the time that it is for: columns from and until in ${path}, as 2026-01-01.`,
    );
  }
  const [start, end] = [parseMoment("since", from, nowMs), parseMoment("until", until, nowMs)];
  return { lines, from: start, until: end };
}

async function listCases(context: CommandContext): Promise<number> {
  const list = await connect(context).client.listCases({}, { signal: context.signal });
  const { terminal } = context;
  terminal.print(
    switchOption(context, "json") ? JSON.stringify(list, undefined, 2) : caseList(list, terminal),
  );
  return 0;
}

async function showCase(context: CommandContext, rest: readonly string[]): Promise<number> {
  print(context, await readCase(context, rest));
  return 0;
}

async function verifyCase(context: CommandContext, rest: readonly string[]): Promise<number> {
  const id = caseId(rest);
  if (!switchOption(context, "after")) {
    throw new UsageError("case verify needs --after: repair first, let the load run, then verify.");
  }
  const nowMs = context.clock.nowMs();
  const since = textOption(context, "since");
  const until = textOption(context, "until");
  const from =
    since === undefined ? (await readCase(context, rest)).to : parseMoment("since", since, nowMs);
  const detail = await connect(context).client.verifyCase(
    {
      params: { id },
      body: { from, ...(until === undefined ? {} : { to: parseMoment("until", until, nowMs) }) },
    },
    { signal: context.signal },
  );
  print(context, detail);
  switch (detail.verifications.at(-1)?.outcome) {
    case "proved":
      return exitProved;
    case "not-repaired":
      return exitNotRepaired;
    default:
      return exitInconclusive;
  }
}

async function reportCase(context: CommandContext, rest: readonly string[]): Promise<number> {
  const format = textOption(context, "format") ?? "markdown";
  if (format !== "markdown" && format !== "html") {
    throw new UsageError(`--format takes markdown or html; '${format}' is neither.`);
  }
  const report = await connect(context).client.readReport(
    { params: { id: caseId(rest) }, query: { format } },
    { signal: context.signal },
  );
  const output = textOption(context, "output");
  if (output === undefined) context.terminal.print(report);
  else {
    writeFileSync(output, report);
    context.terminal.note(`Wrote ${output}.`);
  }
  return 0;
}

async function mitigateCase(context: CommandContext, rest: readonly string[]): Promise<number> {
  const text = rest[1];
  if (text === undefined) throw new UsageError("case mitigate needs what was done, in quotes.");
  const detail = await connect(context).client.addMitigation(
    { params: { id: caseId(rest) }, body: { text } },
    { signal: context.signal },
  );
  print(context, detail);
  return 0;
}

async function closeCase(context: CommandContext, rest: readonly string[]): Promise<number> {
  const reason = rest[1];
  if (reason === undefined) throw new UsageError("case close needs the reason, in quotes.");
  const detail = await connect(context).client.closeCase(
    { params: { id: caseId(rest) }, body: { reason } },
    { signal: context.signal },
  );
  print(context, detail);
  return 0;
}

async function readCase(context: CommandContext, rest: readonly string[]): Promise<CaseDetail> {
  return await connect(context).client.readCase(
    { params: { id: caseId(rest) } },
    { signal: context.signal },
  );
}

function caseId([id]: readonly string[]): string {
  if (id === undefined)
    throw new UsageError("this needs CASE, the number that `faultline case list` shows.");
  return id.replace(/^#/, "");
}

function print(context: CommandContext, detail: CaseDetail): void {
  const { terminal } = context;
  terminal.print(
    switchOption(context, "json")
      ? JSON.stringify(detail, undefined, 2)
      : caseText(detail, terminal),
  );
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
