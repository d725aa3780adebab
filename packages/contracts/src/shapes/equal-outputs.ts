/** Outputs after a change are those from before it, but for rounding. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { NumericOutput } from "../model/outputs.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { compareOutputs, type ComparedOutput } from "./compare-outputs.ts";

const options = {
  slackFactor: {
    default: 100,
    description:
      "How many times the tolerance of its type a value must be off before the contract is violated.",
  },
};

type Recording = EvidenceOf<"outputs">;

const listedMax = 10;

export const equalOutputs: Contract = defineContract({
  id: "shapes/equal-outputs",
  version: 1,
  boundary: "tensor-operator",
  promise:
    "Outputs after a change are equal to those from before it, within the rounding of their type.",
  reads: ["outputs"],
  options,
  check: (snapshot, { slackFactor }, found) =>
    [...Map.groupBy(evidenceOfKind(snapshot, "outputs"), ({ content }) => content.name)]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, recordings]) =>
        found({ subject: { kind: "outputs", name }, ...judge(recordings, slackFactor) }),
      ),
});

function judge(
  recordings: readonly Recording[],
  slackFactor: number,
): Omit<FindingParts, "subject"> {
  const before = recordings.filter(({ content }) => content.role === "before");
  const after = recordings.filter(({ content }) => content.role === "after");
  if (before.length === 0 || after.length === 0) {
    return {
      verdict: "inconclusive",
      title: "Outputs are not recorded both before and after",
      actual: `${plural(before.length, "recording")} from before, ${after.length} from after, ${recordings.length - before.length - after.length} that do not say.`,
      missing: ["A recording with the role before and one with the role after, of one name."],
    };
  }
  const compared = after.flatMap((recording) => comparedIn(recording, before));
  const missing = missingIn(before, after);
  const worst = compared.toSorted(worstFirst);
  const wrong = worst.filter(({ result }) => result.kind === "other" || result.ratio > slackFactor);
  const doubtful = worst.filter(({ result }) => result.kind === "near" && result.ratio > 1);
  const [first] = wrong.length > 0 ? wrong : doubtful;
  const measures = {
    outputCount: compared.length,
    differingCount: wrong.length + doubtful.filter((one) => !wrong.includes(one)).length,
    toleranceRatioMax: Math.max(0, ...compared.map(({ result }) => result.ratio)),
  };
  if (first !== undefined) {
    const isViolated = wrong.length > 0;
    const told = isViolated ? wrong : doubtful;
    return {
      verdict: isViolated ? "violated" : "inconclusive",
      title: isViolated
        ? `${first.name} is another after the change: ${first.result.words}`
        : `${first.name} differs by more than the rounding of its type, and by less than is sure`,
      actual: told
        .slice(0, listedMax)
        .map(({ name, result }) => `${name}: ${result.words}.`)
        .join(" "),
      causeKind: isViolated ? "change" : "none",
      measures,
      evidence: told.slice(0, listedMax).flatMap(({ name, result, pieces }) =>
        pieces.map(({ id, pointer }) => ({
          evidenceId: id,
          locator: pointer,
          quote: `${name}: ${result.words}`,
        })),
      ),
      missing: isViolated
        ? []
        : ["Two recordings from before, so that what the program varies by itself is known."],
    };
  }
  if (missing.length > 0 || compared.length === 0) {
    return {
      verdict: "inconclusive",
      title: `${plural(missing.length, "output")} from before ${missing.length === 1 ? "is" : "are"} not recorded after`,
      actual: `Compared and equal: ${compared.length}. Not recorded after: ${missing.slice(0, listedMax).join(", ")}.`,
      measures,
      missing: missing.slice(0, listedMax).map((name) => `The output ${name} after the change.`),
    };
  }
  return {
    verdict: "holds",
    title: `${plural(compared.length, "output")} ${compared.length === 1 ? "is" : "are"} equal, but for rounding`,
    actual: `The largest difference is ${measures.toleranceRatioMax.toPrecision(2)} of what the types allow.`,
    measures,
  };
}

interface Placed {
  readonly id: string;
  readonly pointer: string;
  readonly output: NumericOutput;
}

interface Compared {
  readonly name: string;
  readonly result: ComparedOutput;
  readonly pieces: readonly Placed[];
}

function placedIn({ id, content }: Recording): Placed[] {
  return content.outputs.map((output, index) => ({ id, pointer: `/outputs/${index}`, output }));
}

function comparedIn(recording: Recording, before: readonly Recording[]): Compared[] {
  return placedIn(recording).flatMap((own): Compared[] => {
    const others = before.flatMap(placedIn).filter(({ output }) => output.name === own.output.name);
    const [other] = others;
    if (other === undefined) return [];
    const result = compareOutputs(
      others.map(({ output }) => output),
      own.output,
    );
    return [{ name: own.output.name, result, pieces: [other, own] }];
  });
}

function missingIn(before: readonly Recording[], after: readonly Recording[]): string[] {
  const names = (recordings: readonly Recording[]): string[] =>
    recordings.flatMap(({ content }) => content.outputs.map(({ name }) => name));
  const there = new Set(names(after));
  return [...new Set(names(before))].filter((name) => !there.has(name)).toSorted();
}

function worstFirst(left: Compared, right: Compared): number {
  return right.result.ratio - left.result.ratio || (left.name < right.name ? -1 : 1);
}
