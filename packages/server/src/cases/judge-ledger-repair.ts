/**
 * The proof of a repair of the ledger: the same contract fails on the export before it and holds on the one after, on the same
 * subject, while the control does not change, nothing else begins to fail, and nothing that was entered is gone. Pure.
 */

import {
  canonicalJson,
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

import type { RepairJudgement, RepairQuestion } from "./judge-repair.ts";

const ledgerContracts = contracts.filter(({ boundary }) => boundary === "tenant-compute");
/** What must stay as it is, and what does where that is itself in question. */
const controlIds = ["ledger/balance-matches-entries", "ledger/charged-once"];
const namedCountMax = 5;

/** Judges a repair. */
export function judgeLedgerRepair(question: Omit<RepairQuestion, "control">): RepairJudgement {
  const { before, after, contract } = question;
  const comparison = compareOn(question, contract);
  const control = compareControl(question);
  const coverage = [...coverageOf(before, after), noNewViolation(before, after)];
  return {
    ...conclude({ comparison, control, coverage }),
    contract: comparison,
    control,
    coverage,
  };
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
    const actual = "one of the snapshots has none";
    return [
      { name: "ledger", expected: "an export of the ledger on both sides", actual, met: false },
    ];
  }
  const entries = missingFrom(earlier.entries, later.entries, ({ sequence }) => String(sequence));
  const uses = missingFrom(earlier.uses, later.uses, ({ id }) => id);
  const isLater = (later.readMicros ?? 0) > (earlier.readMicros ?? 0);
  return [
    {
      name: "ledger",
      expected: "the same ledger, whole, from the same moment on",
      actual:
        later.isCut === true ? "the export is cut" : `the ledger of ${later.name ?? "nobody"}`,
      met:
        later.isCut !== true &&
        later.name === earlier.name &&
        (later.fromMicros ?? 0) <= (earlier.fromMicros ?? 0),
    },
    {
      name: "order",
      expected: "an export that was made after the one before",
      actual: isLater ? "it was" : "it was not",
      met: isLater,
    },
    keptCondition("entries", earlier.entries?.length ?? 0, entries),
    keptCondition("uses", earlier.uses?.length ?? 0, uses),
    reservesCondition(earlier, later),
    openingCondition(earlier, later),
  ];
}

/** A hold or a lease that an export told of for a lasting reason is told of in each later one: it ends by an entry. */
function reservesCondition(earlier: LedgerContent, later: LedgerContent): CoverageCondition {
  const { reserves = [], entries = [], uses = [] } = earlier;
  const named = new Set([...entries, ...uses].map(({ holdId }) => holdId));
  const lasting = reserves.filter(
    ({ id, state, remainingMicros }) =>
      state === "lost" || remainingMicros !== "0" || named.has(id),
  );
  const known = new Set(later.reserves?.map(({ id }) => id));
  const gone = lasting.map(({ id }) => id).filter((id) => !known.has(id));
  return {
    name: "reserves",
    expected: `all ${lasting.length} holds and leases from before the repair`,
    actual:
      gone.length === 0
        ? "all are there"
        : `${gone.length} are gone: ${gone.slice(0, namedCountMax).join(", ")}`,
    met: gone.length === 0,
  };
}

/** What was before the window is told by sums alone, which nothing that is entered later changes. */
function openingCondition(earlier: LedgerContent, later: LedgerContent): CoverageCondition {
  const [before, after] = [openingsOf(earlier), openingsOf(later)];
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (id) => (before.get(id) ?? "0") !== (after.get(id) ?? "0"),
  );
  return {
    name: "openings",
    expected: "the sums of the entries before the window, as they were",
    actual:
      changed.length === 0
        ? "they are"
        : `${changed.length} differ: ${changed.slice(0, namedCountMax).join(", ")}`,
    met: changed.length === 0,
  };
}

function openingsOf({ accounts = [] }: LedgerContent): ReadonlyMap<string, string> {
  return new Map(accounts.map(({ id, openingMicros = "0" }) => [id, openingMicros]));
}

function keptCondition(name: string, count: number, missing: readonly string[]): CoverageCondition {
  return {
    name,
    expected: `all ${count} ${name} from before the repair, as they were`,
    actual:
      missing.length === 0
        ? "all are there"
        : `${missing.length} are gone or changed: ${missing.slice(0, namedCountMax).join(", ")}`,
    met: missing.length === 0,
  };
}

/** The keys of items that are not there any more, or say something else. A completion may be told later. */
function missingFrom<Item>(
  earlier: readonly Item[] = [],
  later: readonly Item[] = [],
  keyOf: (item: Item) => string,
): string[] {
  const texts = new Map(later.map((item) => [keyOf(item), canonicalJson(item)]));
  return earlier.filter((item) => texts.get(keyOf(item)) !== canonicalJson(item)).map(keyOf);
}

function ledgerIn(snapshot: Snapshot): LedgerContent | undefined {
  return evidenceOfKind(snapshot, "ledger")[0]?.content;
}

/** A repair that takes the fault to another place is none. */
function noNewViolation(before: Snapshot, after: Snapshot): CoverageCondition {
  const known = violatedIn(before);
  const fresh = [...violatedIn(after)].filter((name) => !known.has(name));
  return {
    name: "no new violation",
    expected: "no contract of the ledger is violated where none was before",
    actual:
      fresh.length === 0
        ? "none is"
        : `newly violated: ${fresh.slice(0, namedCountMax).join("; ")}`,
    met: fresh.length === 0,
  };
}

function violatedIn(snapshot: Snapshot): ReadonlySet<string> {
  return new Set(
    checkSnapshot(snapshot, ledgerContracts)
      .filter(({ verdict }) => verdict === "violated")
      .map(({ contract, subject }) => `${contract} on ${subject.kind} ${subject.name}`),
  );
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
