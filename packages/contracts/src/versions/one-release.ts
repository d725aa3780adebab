/** Weights, settings and tokenizer come from one release, and replicas serve the same. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { type Release, releasesOf } from "./release.ts";
import { replicaFindings } from "./replicas.ts";
import { countLayers, mergeFault, quantisationFault, shardFault } from "./weights-fit.ts";
import { judgeShapes } from "./shapes-fit.ts";

export const oneRelease: Contract = defineContract({
  id: "versions/one-release",
  version: 1,
  boundary: "release-release",
  promise:
    "Weights have the shapes, layers and quantisation that the settings of the model name, merges belong to their vocabulary, and replicas serve equal files.",
  reads: ["model-release"],
  options: {},
  check(snapshot, _options, found) {
    return judgeAll(snapshot).map(found);
  },
});

function judgeAll(snapshot: Snapshot): FindingParts[] {
  return [...releasesOf(snapshot).flatMap(judge), ...replicaFindings(snapshot)];
}

function judge(release: Release): FindingParts[] {
  const shapes = judgeShapes(release);
  const layers = countLayers(release);
  const faults = [
    ...shapes.faults,
    ...layers.faults,
    ...shardFault(release),
    ...quantisationFault(release),
    ...mergeFault(release),
  ];
  if (faults.length > 0) return faults;
  const checkedCount = shapes.checkedCount + layers.checkedCount;
  if (checkedCount === 0) return [];
  return [
    {
      verdict: "holds",
      subject: { kind: "model", name: release.name },
      title: `The weights of ${release.name} are those that its settings describe.`,
      actual: `${checkedCount} sizes of the settings were found again in the weights.`,
      measures: { sizeCount: checkedCount },
      evidence: [...shapes.evidence, ...layers.evidence],
    },
  ];
}
