/** A case as one reads it in a terminal. */

import type { EvidenceReference } from "@faultline/contracts";
import type { CaseDetail, CaseList, Hypothesis, Verification } from "@faultline/protocol";

import { layoutTable, titledTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** How many references of one hypothesis are quoted; the report has all of them. */
const quotedReferenceCountMax = 4;

/** The list of cases, newest first. */
export function caseList(list: CaseList, terminal: Terminal): string {
  if (list.cases.length === 0) {
    return `No cases yet. Open one: ${terminal.program} case open "SYMPTOM" --subject service:NAME --since 15m`;
  }
  const titles = ["CASE", "STATUS", "SUBJECT", "SYMPTOM", "OPENED"];
  const rows = list.cases.map((item) => [
    `#${item.number}`,
    styledStatus(item.status, terminal),
    `${item.subject.kind}:${item.subject.name}`,
    item.symptom,
    item.openedAt,
  ]);
  return titledTable(terminal, titles, rows);
}

/** One case: symptom, evidence, hypotheses, the latest verification, and what to do next. */
export function caseText(detail: CaseDetail, terminal: Terminal): string {
  const { summary } = detail;
  const heading = (text: string): string => terminal.style("bold", text);
  const operation = summary.subject.operation === undefined ? "" : ` ${summary.subject.operation}`;
  const lines = [
    `${heading(`Case #${summary.number}`)}  ${styledStatus(summary.status, terminal)}  ${summary.symptom}`,
    `  subject   ${summary.subject.kind}:${summary.subject.name}${operation}`,
    `  window    ${detail.from} to ${detail.to}`,
    ...(detail.expected === undefined ? [] : [`  expected  ${detail.expected}`]),
    ...(detail.actual === undefined ? [] : [`  actual    ${detail.actual}`]),
    ...detail.mitigations.map((mitigation) => `  mitigation (not a fix)  ${mitigation}`),
    "",
    heading("Evidence"),
    ...detail.snapshots.map(
      (snapshot) =>
        `  ${snapshot.role.padEnd(6)}  ${evidenceWords(detail, snapshot)}  ${terminal.style("dim", snapshot.id)}`,
    ),
    "",
    heading("Hypotheses"),
    ...(detail.hypotheses.length === 0
      ? ["  None: no contract is violated and none is in doubt."]
      : []),
    ...detail.hypotheses.flatMap((hypothesis) => hypothesisLines(hypothesis, terminal)),
  ];
  const verification = detail.verifications.at(-1);
  if (verification !== undefined) lines.push("", ...verificationLines(verification, terminal));
  lines.push("", ...nextLines(detail, terminal));
  return lines.join("\n");
}

function evidenceWords(
  { summary }: CaseDetail,
  { takenAt, traceCountKept, traceCountSeen }: CaseDetail["snapshots"][number],
): string {
  return summary.subject.kind === "ledger"
    ? `the ledger at ${takenAt}`
    : `${traceCountKept} of ${traceCountSeen} traces`;
}

function hypothesisLines(hypothesis: Hypothesis, terminal: Terminal): string[] {
  const indent = "     ";
  return [
    `  ${hypothesis.rank}. ${styledStatus(hypothesis.status, terminal)}  ${terminal.style("bold", hypothesis.statement)}`,
    `${indent}boundary ${hypothesis.boundary}, contract ${hypothesis.contract}, cause kind ${hypothesis.causeKind}`,
    `${indent}about    ${hypothesis.subject.kind} ${hypothesis.subject.name}`,
    ...quoteLines(hypothesis.evidenceFor).map((quote) => `${indent}for      ${quote}`),
    ...quoteLines(hypothesis.evidenceAgainst).map((quote) => `${indent}against  ${quote}`),
    ...hypothesis.missing.map((missing) => `${indent}missing  ${missing}`),
    ...hypothesis.fixes.map((fix) => `${indent}fix      ${fix.description}`),
    `${indent}next     ${hypothesis.nextCheck}`,
  ];
}

/** Quotes that differ, each once with how often it stands there; a span's own duration makes no difference. */
function quoteLines(references: readonly EvidenceReference[]): string[] {
  const counts = new Map<string, number>();
  for (const { quote } of references) {
    if (quote === undefined) continue;
    const words = quote.replace(/ \([\d.]+ [mµn]?s\)$/, "");
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts]
    .slice(0, quotedReferenceCountMax)
    .map(([quote, count]) => (count === 1 ? quote : `${quote}  × ${count}`));
}

function verificationLines(verification: Verification, terminal: Terminal): string[] {
  const rows = [
    ["", "BEFORE", "AFTER"].map((title) => terminal.style("dim", title)),
    ...[verification.contract, verification.control].map((comparison) => [
      comparison.contract,
      styledStatus(comparison.before, terminal),
      styledStatus(comparison.after, terminal),
    ]),
  ];
  const conditions = verification.coverage.map((condition) => [
    condition.met ? terminal.style("green", "met") : terminal.style("red", "not met"),
    condition.name,
    `expected ${condition.expected}, got ${condition.actual}`,
  ]);
  return [
    `${terminal.style("bold", "Verification")}  ${styledStatus(verification.outcome, terminal)}`,
    ...indented(layoutTable(rows)),
    ...indented(layoutTable(conditions)),
    ...verification.reasons.map((reason) => `  ${reason}`),
  ];
}

function nextLines(detail: CaseDetail, terminal: Terminal): string[] {
  return [`${terminal.style("dim", "Next:")} ${nextStep(detail, terminal)}`];
}

function nextStep(detail: CaseDetail, terminal: Terminal): string {
  const { number, status, subject } = detail.summary;
  if (status !== "open") return `Read the report: ${terminal.program} case report ${number}`;
  const seenCount = detail.snapshots.find((snapshot) => snapshot.role === "before")?.traceCountSeen;
  const isOfLedger = subject.kind === "ledger";
  if (seenCount === 0 && !isOfLedger) {
    return `No trace of ${subject.name} lies in this window. Send traces of it, then open a case over a window that holds them.`;
  }
  if (detail.hypotheses.every((hypothesis) => hypothesis.status !== "supported")) {
    return "No cause is supported by this evidence. Look at what is missing above, record it, and open a case over that window.";
  }
  if (isOfLedger) return `Repair it, then: ${terminal.program} case verify ${number} --after`;
  return `Repair, let the load run, then: ${terminal.program} case verify ${number} --after --since TIME-OF-THE-REPAIR`;
}

const colours: Readonly<Record<string, "red" | "green" | "yellow" | "cyan" | "dim">> = {
  violated: "red",
  "not-repaired": "red",
  holds: "green",
  proved: "green",
  inconclusive: "yellow",
  supported: "yellow",
  open: "cyan",
  proposed: "cyan",
  refuted: "dim",
  closed: "dim",
};

function styledStatus(status: string, terminal: Terminal): string {
  return terminal.style(colours[status] ?? "bold", status);
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}
