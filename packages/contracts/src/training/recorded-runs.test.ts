import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { operatorsFit } from "../shapes/operators-fit.ts";
import { trainingContracts } from "./contracts.ts";

const recorded = fileURLToPath(new URL("../../test/recorded/training/", import.meta.url));
const probe = fileURLToPath(new URL("../../../../probes/python/", import.meta.url));
const python = process.env["PYTHON"] ?? "python3";
const run = (code: string): number | null => spawnSync(python, ["-c", code]).status;
const hasPython = run("") === 0;
const hasTorch = hasPython && run("import torch") === 0;

/** What the contracts of training find in the files of one run, as `contract: title`. */
function violatedIn(folder: string, name: string): string[] {
  const files = readdirSync(folder)
    .filter((file) => file === `${name}.jsonl` || file.startsWith(`${name}.rank`))
    .map((file) => ({ name: file, bytes: readFileSync(join(folder, file)) }));
  expect(files.length, name).toBeGreaterThan(0);
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  const snapshot = snapshotOf(evidence);
  return trainingContracts
    .flatMap((contract) => contract.check(snapshot))
    .filter(({ verdict }) => verdict === "violated")
    .map(({ contract, title }) => `${contract}: ${title}`);
}

const faults: [string, RegExp][] = [
  ["eval-mode", /step-order: The optimizer steps while the model is in evaluation mode/],
  ["no-zero-grad", /step-order: Gradients are not cleared/],
  ["rate-of-zero", /step-order: The learning rate is 0/],
  ["cut-graph", /gradients: 4 parameters of 6 .* never get one/],
  ["other-model", /step-order: 6 parameters of 6 that get gradients do not change/],
  ["softmax-twice", /loss-inputs: CrossEntropyLoss was given probabilities/],
  ["float-targets", /loss-inputs: MSELoss compares every input with targets of others/],
  ["not-a-number", /gradients: From step 150 on, the loss is NaN/],
  ["vanishing", /progress: The loss stays at 2\.303/],
  ["exploding", /gradients: From step 1\d0 on the gradients explode/],
  ["shuffled-targets", /progress: The loss stays at 2\.303/],
  ["replicas-unsynced", /replicas: From step 0 on ranks 0 and 1 hold different values/],
  ["replicas-one-seed", /replicas: Ranks 0 and 1 see the same data/],
];
const healthy = ["healthy", "healthy-again", "replicas"];

function expectFaultsTold(folder: string): void {
  for (const name of healthy) expect(violatedIn(folder, name), name).toEqual([]);
  for (const [name, words] of faults) {
    const found = violatedIn(folder, name);
    expect(
      found.some((line) => words.test(line)),
      `${name}: ${found.join("; ")}`,
    ).toBe(true);
  }
}

describe("recorded runs of PyTorch", () => {
  it.each([
    ...healthy,
    "healthy-accumulation",
    "healthy-discriminator",
    "healthy-experts",
    "healthy-gradients-set-to-none",
    "healthy-transformer",
    "healthy-with-evaluation",
  ])("that are healthy hold: %s", (name) => {
    expect(violatedIn(recorded, name)).toEqual([]);
  });

  it.each(faults)("with a silent error are found: %s", (name, words) => {
    const found = violatedIn(recorded, name);
    expect(
      found.some((line) => words.test(line)),
      found.join("; "),
    ).toBe(true);
  });

  it("have operators that fit", () => {
    const bytes = readFileSync(join(recorded, "operators.json"));
    const { evidence } = readEvidence([{ name: "operators.json", bytes }]);
    expect(operatorsFit.check(snapshotOf(evidence))).toMatchObject([{ verdict: "holds" }]);
  });
});

describe("the probe", () => {
  it.skipIf(!hasPython)("passes its own tests, as far as PyTorch is there", () => {
    const { status, stderr } = spawnSync(python, ["-m", "unittest", "discover", "-s", "tests"], {
      cwd: probe,
      encoding: "utf8",
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(status, stderr).toBe(0);
  });

  it.skipIf(!hasTorch)("finds in runs of now what it found in the recorded ones", () => {
    const folder = mkdtempSync(join(tmpdir(), "faultline-probe-"));
    try {
      const { status, stderr } = spawnSync(python, ["-B", "tests/scenarios.py", folder], {
        cwd: probe,
        encoding: "utf8",
      });
      expect(status, stderr).toBe(0);
      expectFaultsTold(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
