/**
 * The proof of a repair of the ledger: the same contract fails on the export before it and holds on the one after, on the same
 * subject, while the control does not change, nothing else begins to fail, and nothing that was entered is gone. Pure.
 */

import {
  checkSnapshot,
  type Contract,
  contracts,
  evidenceOfKind,
  type Finding,
  type LedgerContent,
  type Snapshot,
  type Verdict,
} from "@faultline/contracts";
import type { ContractComparison, CoverageCondition } from "@faultline/protocol";

import { assert } from "#kernel/index.ts";

import { type KeptPart, keptParts } from "./kept-of-ledger.ts";
import type { RepairJudgement, RepairQuestion } from "./judge-repair.ts";

/** Differences of one kind that are compared. Beyond that, nobody can say which of them are new. */
const comparedCountMax = 20_000;
const ledgerContracts = contracts
  .filter(({ boundary }) => boundary === "tenant-compute")
  .map(telling);
/** What must stay as it is, and what does where that is itself in question. */
const controlIds = ["ledger/balance-matches-entries", "ledger/charged-once"];
const namedCountMax = 5;
/** What an export tells of; an invoice comes from elsewhere. */
const listNames = ["accounts", "limits", "entries", "reserves", "uses"] as const;

/** Judges a repair. */
export function judgeLedgerRepair(question: Omit<RepairQuestion, "control">): RepairJudgement {
  const { before, after, contract } = question;
  const comparison = compareOn(question, telling(contract));
  const control = compareControl(question);
  const coverage = [...coverageOf(before, after), noNewViolation(before, after)];
  return {
    ...conclude({ comparison, control, coverage }),
    contract: comparison,
    control,
    coverage,
  };
}

/** The same contract, which tells of as many differences as are compared: of a few, those behind them would not be seen. */
function telling(contract: Contract): Contract {
  const isSettable = contract.options.some(({ name }) => name === "toldCountMax");
  return isSettable ? contract.with({ toldCountMax: comparedCountMax }) : contract;
}

function compareOn(
  { before, after, hypothesis }: Omit<RepairQuestion, "control">,
  contract: Contract,
): ContractComparison {
  const isOwn = ({ subject }: Finding): boolean =>
    subject.kind === hypothesis.subject.kind && subject.name === hypothesis.subject.name;
  const sides = [before, after].map((snapshot) =>
    sideOf(checkSnapshot(snapshot, [contract]), isOwn),
  );
  return comparisonOf(contract.id, sides);
}

function compareControl({
  before,
  after,
  contract,
}: Omit<RepairQuestion, "control">): ContractComparison {
  const id = controlIds.find((candidate) => candidate !== contract.id);
  const control = ledgerContracts.find((candidate) => candidate.id === id);
  assert(control !== undefined, "the controls are among the contracts of the ledger");
  const sides = [before, after].map((snapshot) =>
    sideOf(checkSnapshot(snapshot, [control]), () => true),
  );
  return comparisonOf(control.id, sides);
}

interface Side {
  readonly verdict: Verdict;
  readonly words: string;
}

/** What is said of a subject: that it fails, or, where all could be judged, that it does not. */
function sideOf(findings: readonly Finding[], isOwn: (finding: Finding) => boolean): Side {
  const failing = findings.find((finding) => finding.verdict === "violated" && isOwn(finding));
  if (failing !== undefined) return { verdict: "violated", words: failing.title };
  const open = findings.find(({ verdict }) => verdict === "inconclusive");
  if (open !== undefined) return { verdict: "inconclusive", words: open.title };
  const [first] = findings;
  if (first === undefined) return { verdict: "inconclusive", words: "nothing is said" };
  const words = first.verdict === "holds" ? first.title : "it fails elsewhere, and not here";
  return { verdict: "holds", words };
}

function comparisonOf(contract: string, [before, after]: readonly Side[]): ContractComparison {
  assert(before !== undefined && after !== undefined, "there are two sides");
  const summary = `Before: ${before.words}. After: ${after.words}.`.replaceAll("..", ".");
  return { contract, before: before.verdict, after: after.verdict, summary };
}

/** Whether the export after the repair covers the one before: without that, what was taken away would pass for repaired. */
function coverageOf(before: Snapshot, after: Snapshot): CoverageCondition[] {
  const [earlier, later] = [ledgerIn(before), ledgerIn(after)];
  if (earlier === undefined || later === undefined) {
    const expected = "one export of the ledger on both sides";
    return [{ name: "ledger", expected, actual: "a snapshot has none, or several", met: false }];
  }
  const isLater = (later.readMicros ?? 0) > (earlier.readMicros ?? 0);
  const isCut = earlier.isCut === true || later.isCut === true;
  return [
    {
      name: "ledger",
      expected: "the same ledger, whole, from the same moment on",
      actual: isCut ? "an export is cut" : `the ledger of ${later.name ?? "nobody"}`,
      met:
        !isCut &&
        later.name === earlier.name &&
        (later.fromMicros ?? 0) <= (earlier.fromMicros ?? 0),
    },
    {
      name: "order",
      expected: "an export that was made after the one before",
      actual: isLater ? "it was" : "it was not",
      met: isLater,
    },
    ...keptParts.map((part) => keptCondition(part, earlier, later)),
  ];
}

function keptCondition(
  { name, expected, countIn, changed }: KeptPart,
  earlier: LedgerContent,
  later: LedgerContent,
): CoverageCondition {
  const names = changed(earlier, later);
  const count = countIn?.(earlier);
  return {
    name,
    expected: count === undefined ? expected : `all ${count} ${expected}`,
    actual:
      names.length === 0
        ? "so it is"
        : `${names.length} ${names.length === 1 ? "is" : "are"} not so: ${names.slice(0, namedCountMax).join(", ")}`,
    met: names.length === 0,
  };
}

/** The only export of a snapshot, with the invoices beside it. */
function ledgerIn(snapshot: Snapshot): LedgerContent | undefined {
  const parts = evidenceOfKind(snapshot, "ledger").map(({ content }) => content);
  const exports = parts.filter(({ readMicros }) => readMicros !== undefined);
  const [only] = exports;
  if (only === undefined || exports.length > 1) return undefined;
  const beside = parts.filter((part) => part !== only);
  // Tables may fill up what an export lacks; of those nobody knows when they were true.
  if (beside.some((part) => listNames.some((name) => part[name] !== undefined))) return undefined;
  const invoice = parts.flatMap((part) => part.invoice ?? []);
  return invoice.length === 0 ? only : { ...only, invoice };
}

/** A repair that takes the fault to another place, or leaves more of it there, is none. */
function noNewViolation(before: Snapshot, after: Snapshot): CoverageCondition {
  const [{ violated: known }, { violated, cut }] = [violatedIn(before), violatedIn(after)];
  const fresh = [...violated].flatMap(([name, micros]) =>
    micros > (known.get(name) ?? -1n) ? [name] : [],
  );
  const unseen = cut.map((kind) => `${kind} is violated more often than is compared`);
  const newly = fresh.length === 0 ? [] : [`newly violated: ${named(fresh)}`];
  return {
    name: "no new violation",
    expected: "no contract of the ledger is violated where none was before, or by more",
    actual: [...unseen, ...newly].join("; ") || "none is",
    met: fresh.length === 0 && cut.length === 0,
  };
}

function named(names: readonly string[]): string {
  return names.slice(0, namedCountMax).join("; ");
}

interface Violated {
  /** What is violated, and how far it is off in all. */
  readonly violated: ReadonlyMap<string, bigint>;
  /** Of what there may be more. */
  readonly cut: readonly string[];
}

function violatedIn(snapshot: Snapshot): Violated {
  const violated = new Map<string, bigint>();
  const counts = new Map<string, number>();
  for (const { verdict, contract, subject, measures } of checkSnapshot(snapshot, ledgerContracts)) {
    if (verdict !== "violated") continue;
    const kind = `${contract} (${String(measures["difference"])})`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const name = `${contract} on ${subject.kind} ${subject.name}`;
    const [expected, actual] = [measures["expectedMicros"], measures["actualMicros"]].map((text) =>
      typeof text === "string" ? BigInt(text) : 0n,
    );
    const difference = (expected ?? 0n) - (actual ?? 0n);
    const micros = difference < 0n ? -difference : difference;
    violated.set(name, (violated.get(name) ?? 0n) + micros);
  }
  const cut = [...counts].flatMap(([kind, count]) => (count >= comparedCountMax ? [kind] : []));
  return { violated, cut };
}

function conclude(parts: {
  readonly comparison: ContractComparison;
  readonly control: ContractComparison;
  readonly coverage: readonly CoverageCondition[];
}): Pick<RepairJudgement, "outcome" | "reasons"> {
  const { comparison, control, coverage } = parts;
  const { contract, before, after } = comparison;
  if (after === "violated") {
    const reason = `${contract} is still violated after the repair on the same subject.`;
    return { outcome: "not-repaired", reasons: [reason] };
  }
  const doubts = [
    ...(before === "violated"
      ? []
      : [`${contract} was ${before} before, so nothing failed that could hold now.`]),
    ...(after === "holds" ? [] : [`${contract} gives no verdict after the repair.`]),
    ...(control.before === control.after
      ? []
      : [
          `The control ${control.contract} was ${control.before} before the repair and is ${control.after} after it.`,
        ]),
    ...coverage
      .filter(({ met }) => !met)
      .map(
        ({ name, expected, actual }) => `Not covered, ${name}: expected ${expected}; ${actual}.`,
      ),
  ];
  if (doubts.length > 0) return { outcome: "inconclusive", reasons: doubts };
  return {
    outcome: "proved",
    reasons: [
      `${contract} failed before the repair and holds after it, on the same subject.`,
      `The control ${control.contract} did not change.`,
      `The export after the repair meets all ${coverage.length} conditions of coverage.`,
    ],
  };
}
