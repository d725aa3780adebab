import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { culpritChange } from "./culprit-change.ts";
import { firstDeviation } from "./first-deviation.ts";

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const shared = fileURLToPath(
  new URL("../../../../../shared/data/root-cause-bench/", import.meta.url),
);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

interface Truth {
  readonly root_cause_commit: string;
  readonly decoy_deploy_commits: readonly string[];
}

const incidents = existsSync(shared)
  ? readdirSync(shared, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  : [];

describe.skipIf(incidents.length === 0)(
  "recorded incidents with changes (skipped where ../shared/data is absent)",
  () => {
    test.each(incidents.map(({ name }) => name))("%s", (name) => {
      const paths = filesBelow(`${shared}${name}`);
      const answer = paths.find((path) => path.endsWith("ground_truth.json")) ?? "";
      const files = paths
        .filter((path) => path !== answer)
        .map((path) => ({ name: path, bytes: readFileSync(path) }));
      const { evidence, unreadable } = readEvidence(files);
      expect(unreadable).toEqual([]);
      const truth: Truth = JSON.parse(readFileSync(answer, "utf8"));
      const [finding] = culpritChange.check(snapshotOf(evidence));
      expect(finding?.measures["rootCauseCommit"]).toBe(truth.root_cause_commit);
      const isNone = truth.root_cause_commit === "none";
      expect(finding?.verdict).toBe(isNone ? "holds" : "violated");
      expect(truth.decoy_deploy_commits).not.toContain(finding?.subject.name);
      expect(firstDeviation.check(snapshotOf(evidence))[0]?.verdict).toBe("violated");
    });
  },
);
