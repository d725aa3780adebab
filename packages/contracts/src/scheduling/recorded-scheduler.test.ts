/** Verdicts beside those of the real scheduler, recorded from its own code on small random clusters. */

import { describe, expect, test } from "vitest";

import { snapshotOfObjects } from "../../test/metamorphic-kubernetes.ts";
import type { KubernetesObject } from "../model/evidence.ts";
import recorded from "./fixtures/kube-scheduler.json" with { type: "json" };
import { podFitsNode } from "./pod-fits-node.ts";

interface Recorded {
  readonly objects: readonly KubernetesObject[];
  /** The event that the scheduler wrote; absent where it found a node. */
  readonly event?: string;
  readonly fittingNodeCount?: number;
}

// The objects are what a cluster's API would give; the file is written by a machine and read by this test alone.
const cases = recorded.cases as readonly unknown[] as readonly Recorded[];

describe(recorded.recordedWith, () => {
  test.each(cases.map((item, index) => ({ ...item, index })))(
    "cluster $index: $event",
    ({ objects, event, fittingNodeCount }) => {
      const finding = podFitsNode
        .check(snapshotOfObjects(objects))
        .find(({ subject }) => subject.name.endsWith("/asking"));
      if (event === undefined) {
        expect(finding?.verdict).toBe("holds");
        expect(finding?.measures["fittingNodeCount"]).toBe(fittingNodeCount);
        return;
      }
      expect(finding?.verdict).toBe("violated");
      expect(finding?.actual).toBe(event);
    },
  );
});
