import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { factsOf, runVariants, snapshotOfRuns } from "../../test/training-runs.ts";
import type { TrainingContent } from "../model/training.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { trainingContracts } from "./contracts.ts";

const recorded = new URL("../../test/recorded/training/", import.meta.url);
const textOf = (name: string): string => readFileSync(new URL(`${name}.jsonl`, recorded), "utf8");

function contentsOf(...texts: readonly string[]): TrainingContent[] {
  const files = texts.map((text, index) => ({
    name: `run-${index}.jsonl`,
    bytes: new TextEncoder().encode(text),
  }));
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  return evidence.map(({ content }) => {
    if (content.kind !== "training") throw new Error(`it is ${content.kind}`);
    return content;
  });
}

const recordings = [
  ["healthy"],
  ["no-zero-grad"],
  ["softmax-twice"],
  ["other-model"],
  ["not-a-number"],
  ["replicas-unsynced.rank0", "replicas-unsynced.rank1"],
];

describe.each(recordings)("a record of training: %s", (...names) => {
  const contents = contentsOf(...names.map(textOf));

  it("is judged the same beside other evidence, in another order, twice, renamed and through a file", () => {
    for (const contract of trainingContracts) {
      const before = factsOf(contract.check(snapshotOfRuns(...contents)));
      for (const { name, snapshot, restore } of runVariants(contents)) {
        expect(factsOf(contract.check(snapshot), restore), `${contract.id} ${name}`).toEqual(
          before,
        );
      }
    }
  });

  it("is read the same when its lines come in another order", () => {
    const reversed = names.map((name) => {
      const [header = "", ...steps] = textOf(name).trimEnd().split("\n");
      return [header, ...steps.toReversed()].join("\n");
    });
    expect(contentsOf(...reversed)).toEqual(contents);
  });
});
