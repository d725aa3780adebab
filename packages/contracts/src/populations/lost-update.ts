/** Histories in which a write was lost: two writes from one version, or a counter that ends below what was added to it. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import { type HistoryStep, historiesOf } from "./history.ts";
import { numberWords } from "./words.ts";

/** What can be set, with its default. */
const options = {
  stepCountMin: {
    default: 2,
    description:
      "Successful writes of one key with their versions, from which the contract may hold.",
  },
};

export const lostUpdate: Contract = defineContract({
  id: "populations/lost-update",
  version: 1,
  boundary: "resolver-database",
  promise:
    "Each write of a key goes out from the version that the write before it left, and no increment is lost.",
  reads: ["trace", "logs"],
  options,
  check(snapshot, { stepCountMin }, found) {
    return [...historiesOf(snapshot)]
      .sort(([left], [right]) => compareText(left, right))
      .flatMap(([key, steps]) => judged(key, steps, stepCountMin).map((parts) => found(parts)));
  },
});

function judged(key: string, steps: readonly HistoryStep[], stepCountMin: number): FindingParts[] {
  const subject = { kind: "key", name: key };
  const faults = [...forkedVersions(subject, steps), ...lostIncrements(subject, steps)];
  if (faults.length > 0) return faults;
  const versioned = steps.filter(({ kind, base }) => kind === "write" && base !== undefined);
  if (versioned.length < stepCountMin) return [];
  return [
    {
      verdict: "holds",
      subject,
      title: `${plural(versioned.length, "write")} of ${key} went out from versions of their own.`,
      actual: "No two successful writes name the same version that they read.",
      measures: { writeCount: versioned.length },
    },
  ];
}

/** Two writes that succeeded although both had read the same version: the later one undid the earlier. */
function forkedVersions(
  subject: FindingParts["subject"],
  steps: readonly HistoryStep[],
): FindingParts[] {
  const byBase = Map.groupBy(
    steps.filter((step) => step.kind === "write" && step.base !== undefined),
    ({ base }) => base ?? "",
  );
  return [...byBase].flatMap(([base, writes]): FindingParts[] => {
    // A write that was tried again and left the same version is one write.
    const different = [
      ...new Map(writes.map((write) => [write.result ?? write.author, write])).values(),
    ];
    const authors = new Set(different.map(({ author }) => author));
    if (different.length < 2 || authors.size < 2) return [];
    const [first, second] = different;
    return [
      {
        verdict: "violated",
        subject,
        title: `${plural(different.length, "write")} of ${subject.name} went out from version ${base}: all but the last are lost.`,
        actual:
          `Version ${base} was read by ${[...authors].slice(0, 5).join(", ")}, and each wrote over it. ${wordsOf(first)} ${wordsOf(second)}`.trim(),
        causeKind: "data",
        measures: { version: base, writeCount: different.length },
        evidence: different.slice(0, 16).map(referenceOf),
        fixes: [
          {
            description:
              "Write only when the version is still the one that was read (a condition in the statement, If-Match, compare-and-set), and read again when it is not.",
          },
        ],
        nextChecks: [
          "Repeat both writes at the same time with the condition in place: one must be refused.",
        ],
      },
    ];
  });
}

/** Increments that succeeded and are not all in the value that is read after the last of them. */
function lostIncrements(
  subject: FindingParts["subject"],
  steps: readonly HistoryStep[],
): FindingParts[] {
  const ordered = steps.toSorted((left, right) => left.timeMicros - right.timeMicros);
  const added = ordered.filter(({ kind, delta }) => kind === "increment" && delta !== undefined);
  const firstAt = added[0]?.timeMicros ?? 0;
  const lastAt = Math.max(0, ...added.map(({ endMicros }) => endMicros));
  // Another write in between would make sums of no use.
  if (added.length < 2 || ordered.some(({ kind }) => kind === "write")) return [];
  const reads = ordered.filter(({ kind, value }) => kind === "read" && value !== undefined);
  const before = reads.filter(({ endMicros }) => endMicros <= firstAt).at(-1);
  const after = reads.find(({ timeMicros }) => timeMicros >= lastAt);
  if (before?.value === undefined || after?.value === undefined) return [];
  const sum = added.reduce((total, { delta = 0 }) => total + delta, 0);
  const seen = after.value - before.value;
  // A counter that fell was reset, or ran out of its time: then nothing is known.
  const isReset = seen < 0 || added.some(({ delta = 0 }) => delta < 0);
  if (isReset || seen >= sum - 1e-9 * Math.abs(sum)) return [];
  return [
    {
      verdict: "violated",
      subject,
      title: `${subject.name} grew by ${numberWords(seen)} although ${numberWords(sum)} was added to it.`,
      actual: `It was ${numberWords(before.value)} before and ${numberWords(after.value)} after ${plural(added.length, "increment")} that succeeded; ${numberWords(sum - seen)} is lost.`,
      causeKind: "data",
      measures: { added: sum, grown: seen, lost: sum - seen, incrementCount: added.length },
      evidence: [before, after, ...added.slice(0, 14)].map(referenceOf),
      fixes: [
        {
          description:
            "Add in the database (`SET n = n + 1`, an atomic increment) instead of writing back a value that was read.",
        },
      ],
    },
  ];
}

function wordsOf(step: HistoryStep | undefined): string {
  return step === undefined
    ? ""
    : `${step.author} wrote${step.result === undefined ? "" : ` version ${step.result}`}.`;
}

function referenceOf({ evidence, locator, quote }: HistoryStep): EvidenceReference {
  return { evidenceId: evidence.id, locator, quote };
}
