/** What losses are given: targets and inputs of the shape, type and range that each loss is defined for. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import type { LossCall } from "../model/training.ts";
import { plural } from "../text/plural.ts";
import { crossEntropyFaults, likelihoodFaults } from "./class-loss.ts";
import {
  elementCountOf,
  lossNameOf,
  type LossFault,
  sameShape,
  tensorWords,
} from "./loss-fault.ts";
import { numberOf } from "./measured.ts";
import {
  binaryFaults,
  binaryLogitFaults,
  divergenceFaults,
  regressionFaults,
} from "./value-loss.ts";

const options = {
  callCountMin: {
    default: 10,
    description:
      "Calls of which every input must lie from 0 to 1 before logits count as probabilities.",
  },
  elementCountMin: {
    default: 1_000,
    description: "Elements that these inputs must have together.",
  },
};
type Options = { readonly [Name in keyof typeof options]: number };

/** The rules of a loss, by its name without module and ending. */
const judges: ReadonlyMap<string, (call: LossCall) => LossFault[]> = new Map([
  ["crossentropy", crossEntropyFaults],
  ["nll", likelihoodFaults],
  ["bce", binaryFaults],
  ["binarycrossentropy", binaryFaults],
  ["bcewithlogits", binaryLogitFaults],
  ["binarycrossentropywithlogits", binaryLogitFaults],
  ["kldiv", divergenceFaults],
  ...["mse", "l1", "smoothl1", "huber"].map((name): [string, (call: LossCall) => LossFault[]] => [
    name,
    regressionFaults,
  ]),
]);

/** A call and where it stands. */
interface PlacedCall {
  readonly call: LossCall;
  readonly step: number;
  readonly pointer: string;
}

export const lossInputs: Contract = defineContract({
  id: "training/loss-inputs",
  version: 1,
  boundary: "dataset-loss",
  promise:
    "Every loss is given inputs and targets of the shape, type and range that it is defined for.",
  reads: ["training"],
  options,
  check: (snapshot, settled, found) =>
    evidenceOfKind(snapshot, "training").flatMap((run) =>
      [...Map.groupBy(callsOf(run), ({ call }) => call.loss)].flatMap(([, calls]) =>
        judgeCalls(run, calls, settled).map(found),
      ),
    ),
});

function callsOf({ content }: EvidenceOf<"training">): PlacedCall[] {
  return content.steps.flatMap(({ losses = [], step }, stepIndex) =>
    losses.map((call, index) => ({
      call,
      step,
      pointer: `/steps/${stepIndex}/losses/${index}`,
    })),
  );
}

function judgeCalls(
  run: EvidenceOf<"training">,
  calls: readonly PlacedCall[],
  options: Options,
): FindingParts[] {
  const [first] = calls;
  if (first === undefined) return [];
  const { run: name, rank } = run.content;
  const subject = { kind: "loss", name: `${name}/rank ${rank}/${first.call.loss}` };
  const judge = judges.get(lossNameOf(first.call));
  const base = { subject, measures: { callCount: calls.length } };
  if (judge === undefined) return [{ ...base, ...unknownLoss(run, first) }];
  const byKind = new Map<string, { fault: LossFault; at: PlacedCall; count: number }>();
  for (const at of calls) {
    for (const fault of judge(at.call)) {
      const known = byKind.get(fault.kind);
      if (known === undefined) byKind.set(fault.kind, { fault, at, count: 1 });
      else known.count += 1;
    }
  }
  const violations = [...byKind.values()].map(({ fault, at, count }) => ({
    ...base,
    verdict: "violated" as const,
    title: fault.title,
    expected: fault.expected,
    actual: `${fault.actual} First at step ${at.step}; in ${count} of ${plural(calls.length, "call")}.`,
    causeKind: "data" as const,
    measures: { callCount: calls.length, faultyCallCount: count, stepFirst: at.step },
    evidence: [referenceOf(run, at)],
    fixes: [{ description: fault.fix, cost: 1 }],
  }));
  if (violations.length > 0) return violations;
  const suspicion = suspicionOf(run, calls, options);
  return [suspicion === undefined ? { ...base, ...allFit(run, first) } : { ...base, ...suspicion }];
}

function referenceOf(
  run: EvidenceOf<"training">,
  { call, pointer }: PlacedCall,
): {
  evidenceId: string;
  locator: string;
  quote: string;
} {
  const quote = `${call.loss}(input ${tensorWords(call.input)}, target ${tensorWords(call.target)})`;
  return { evidenceId: run.id, locator: pointer, quote };
}

type Judged = Omit<FindingParts, "subject">;

function unknownLoss(run: EvidenceOf<"training">, at: PlacedCall): Judged {
  return {
    verdict: "inconclusive",
    title: `What ${at.call.loss} takes is not known`,
    actual: `The input is ${tensorWords(at.call.input)}, the target ${tensorWords(at.call.target)}.`,
    evidence: [referenceOf(run, at)],
    missing: [`The rules of ${at.call.loss}: it is none of the losses that this contract knows.`],
  };
}

function allFit(run: EvidenceOf<"training">, at: PlacedCall): Judged {
  const { loss, input, target } = at.call;
  const isSeen = target.min !== undefined && target.max !== undefined && target.dtype !== undefined;
  const isRegression = judges.get(lossNameOf(at.call)) === regressionFaults;
  if (!isSeen && !isRegression) {
    return {
      verdict: "inconclusive",
      title: `The shapes of ${loss} fit; the range or the type of its targets is not recorded`,
      actual: `The input is ${tensorWords(input)}, the target ${tensorWords(target)}.`,
      evidence: [referenceOf(run, at)],
      missing: ["The type, the least and the largest of the targets."],
    };
  }
  return {
    verdict: "holds",
    title: `${loss} was given what it is defined for`,
    actual: `For example the input ${tensorWords(input)} and the target ${tensorWords(target)}.`,
    evidence: [referenceOf(run, at)],
  };
}

/** What looks wrong, and would be right in a rare case. */
function suspicionOf(
  run: EvidenceOf<"training">,
  calls: readonly PlacedCall[],
  options: Options,
): Judged | undefined {
  const [first] = calls;
  if (first === undefined) return undefined;
  const { loss } = first.call;
  const stretched = calls.find(({ call }) => !sameShape(call.input.shape, call.target.shape));
  if (judges.get(lossNameOf(first.call)) === regressionFaults && stretched !== undefined) {
    return {
      verdict: "inconclusive",
      title: `${loss} stretches its targets to the shape of the input`,
      actual: `The input is ${tensorWords(stretched.call.input)}, the target ${tensorWords(stretched.call.target)}.`,
      evidence: [referenceOf(run, stretched)],
      missing: ["Whether one target is meant for several outputs."],
    };
  }
  if (!/withlogits|^crossentropy/.test(lossNameOf(first.call))) return undefined;
  const within = calls.filter(({ call: { input } }) => isWithinOne(input.min, input.max));
  if (within.length < calls.length) return undefined;
  const elementCount = calls.reduce((sum, { call }) => sum + elementCountOf(call.input), 0);
  const isSure =
    /withlogits/.test(lossNameOf(first.call)) &&
    calls.length >= options.callCountMin &&
    elementCount >= options.elementCountMin;
  const actual = `All ${elementCount} values of ${plural(calls.length, "input")} lie from 0 to 1.`;
  if (!isSure) {
    return {
      verdict: "inconclusive",
      title: `${loss} takes logits, and all that it was given lies from 0 to 1`,
      actual,
      evidence: [referenceOf(run, first)],
      missing: ["Which module made the input: a sigmoid or softmax, or a layer."],
    };
  }
  return {
    verdict: "violated",
    title: `${loss} was given probabilities, and takes the sigmoid of them again`,
    expected: "Logits: what the last layer gives, of both signs.",
    actual,
    causeKind: "data",
    evidence: [referenceOf(run, first)],
    fixes: [{ description: "Leave out the sigmoid before this loss, or use BCELoss.", cost: 1 }],
  };
}

function isWithinOne(min: LossCall["input"]["min"], max: LossCall["input"]["max"]): boolean {
  const [least, largest] = [numberOf(min), numberOf(max)];
  return least !== undefined && largest !== undefined && least >= 0 && largest <= 1;
}
