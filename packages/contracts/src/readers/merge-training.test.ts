import { describe, expect, it } from "vitest";

import type { TrainingContent } from "../model/training.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { learnedInvariants } from "../training/learned-invariants.ts";
import { replicas } from "../training/replicas.ts";
import { readEvidence } from "./read-evidence.ts";

interface Plan {
  readonly process: number;
  /** Which records the file has. */
  readonly holds?: "calls" | "states" | "both";
  readonly begins?: number;
  /** From which step on the parameters are other ones. */
  readonly driftsFrom?: number;
  readonly hasZeroGrad?: boolean;
}

function traceOf(plan: Plan): string {
  const { process, holds = "both", begins = 0, driftsFrom = Infinity, hasZeroGrad = true } = plan;
  const lines: object[] = [];
  for (let step = 0; step < 24; step += 1) {
    const own = { process_id: process, thread_id: 1, meta_vars: { step }, time: begins + step };
    const calls = [
      ...(hasZeroGrad ? ["torch.optim.optimizer.Optimizer.zero_grad"] : []),
      "torch._tensor.Tensor.backward",
      "torch.optim.adam.Adam.step",
    ];
    for (const name of holds === "states" ? [] : calls) {
      const id = `${step} ${name}`;
      lines.push({ ...own, func_call_id: id, type: "function_call (pre)", function: name });
      lines.push({ ...own, func_call_id: id, type: "function_call (post)", function: name });
    }
    if (holds === "calls") continue;
    const data = step >= driftsFrom ? 1_000 * process + step : step;
    lines.push({
      ...own,
      var_name: "fc.weight",
      var_type: "torch.nn.Parameter",
      attributes: { data, grad: 11, requires_grad: true, dtype: "torch.float32" },
      type: "state_change",
    });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function read(files: Readonly<Record<string, Plan>>) {
  const { evidence, unreadable } = readEvidence(
    Object.entries(files).map(([name, plan]) => ({
      name,
      bytes: new TextEncoder().encode(traceOf(plan)),
    })),
  );
  expect(unreadable).toEqual([]);
  const runs = evidence.flatMap(({ content }) => (content.kind === "training" ? [content] : []));
  return {
    snapshot: createSnapshot(evidence),
    runs: runs.toSorted((left, right) => left.rank - right.rank),
    names: runs.map(({ run, rank }) => `${run} ${rank}`).toSorted(),
  };
}

describe("files of one traced run", () => {
  it("of two ranks are one run, whose replicas are compared", () => {
    const files = {
      "run/trace-rank0.json": { process: 41 },
      "run/trace-rank1.json": { process: 42 },
    };
    const { names, snapshot } = read(files);
    expect(names).toEqual(["trace 0", "trace 1"]);
    // What data they saw is not in the traces.
    expect(replicas.check(snapshot).map(({ verdict }) => verdict)).toEqual(["inconclusive"]);
    const drifted = read({ ...files, "run/trace-rank1.json": { process: 42, driftsFrom: 3 } });
    // Whether the ranks are meant to be replicas is not in the traces either.
    expect(replicas.check(drifted.snapshot)[0]).toMatchObject({
      verdict: "inconclusive",
      title: expect.stringContaining("From step 3 on ranks 0 and 1 hold different values"),
    });
  });

  it("bear the ranks of their names, whichever of them are there", () => {
    const { runs } = read({
      "run/trace_rank10.json": { process: 41 },
      "run/trace_rank2.json": { process: 42 },
    });
    expect(runs.map(({ rank }) => rank)).toEqual([2, 10]);
  });

  it("of one process, with calls in one and states in another, are one record", () => {
    const { runs, names } = read({
      "tc_run/trace_API_41_1.log": { process: 41, holds: "calls" },
      "tc_run/proxy_log.json": { process: 41, holds: "states" },
    });
    expect(names).toEqual(["tc_run 0"]);
    expect(runs[0]?.steps[5]).toMatchObject({
      step: 5,
      calls: ["zero_grad", "backward", "step"],
      parameters: [{ name: "fc.weight", hasGradient: true }],
    });
  });

  it("of processes that ran together are ranks, and of those that ran one after the other are runs", () => {
    const together = read({
      "tc_run/trace_API_41_1.log": { process: 41 },
      "tc_run/trace_API_42_1.log": { process: 42 },
    });
    expect(together.names).toEqual(["tc_run 0", "tc_run 1"]);
    const apart = read({
      "tc_run/trace_API_41_1.log": { process: 41 },
      "tc_run/trace_API_42_1.log": { process: 42, begins: 1_000, driftsFrom: 0 },
    });
    expect(apart.names).toEqual(["trace_API_41_1 0", "trace_API_42_1 0"]);
    expect(replicas.check(apart.snapshot)).toEqual([]);
  });

  it("of processes that have one number are of as many as there are ranks, or times", () => {
    const ranks = {
      "run/trace-rank0.json": { process: 7 },
      "run/trace-rank1.json": { process: 7, driftsFrom: 3 },
    };
    expect(read(ranks).names).toEqual(["trace 0", "trace 1"]);
    const apart = read({
      "tc_run/trace_API_7_1.log": { process: 7 },
      "tc_run/trace_API_7_2.log": { process: 7, begins: 1_000, hasZeroGrad: false },
    });
    expect(apart.names).toEqual(["trace_API_7_1 0", "trace_API_7_2 0"]);
  });

  it("of other names are other runs, though they lie in one folder", () => {
    const { names, snapshot } = read({
      "traces/first.json": { process: 41 },
      "traces/second.json": { process: 41, driftsFrom: 2 },
    });
    expect(names).toEqual(["first 0", "second 0"]);
    expect(replicas.check(snapshot)).toEqual([]);
  });

  it("of a healthy run and of one to be checked are held against each other", () => {
    const { runs, snapshot } = read({
      "healthy/trace_API_41_1.log": { process: 41 },
      "checked/trace_API_42_1.log": { process: 42, hasZeroGrad: false },
    });
    const roleOf = (run: string): TrainingContent["role"] =>
      runs.find((content) => content.run === run)?.role;
    expect([roleOf("trace_API_41_1"), roleOf("trace_API_42_1")]).toEqual(["baseline", undefined]);
    expect(learnedInvariants.check(snapshot).map(({ verdict }) => verdict)).toEqual(["violated"]);
  });

  it("give the same evidence in whatever order they come", () => {
    const files: [string, Plan][] = [
      ["r/trace_API_41_1.log", { process: 41, holds: "calls" }],
      ["r/trace_API_7_1.log", { process: 7, holds: "calls" }],
      ["r/proxy_log.json", { process: 41, holds: "states" }],
    ];
    const ids = [files, files.toReversed()].map((order) =>
      read(Object.fromEntries(order)).snapshot.evidence.map(({ id }) => id),
    );
    expect(ids[0]).toEqual(ids[1]);
  });
});
