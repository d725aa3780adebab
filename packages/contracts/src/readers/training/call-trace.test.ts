import { describe, expect, it } from "vitest";

import { survivesAnyInput } from "../../../test/survives.ts";
import { learnedInvariants } from "../../training/learned-invariants.ts";
import { lossInputs } from "../../training/loss-inputs.ts";
import { stepOrder } from "../../training/step-order.ts";
import { createSnapshot } from "../../snapshot/create-snapshot.ts";
import { readEvidence } from "../read-evidence.ts";
import { trainingFormats } from "./formats.ts";

interface Faults {
  readonly hasZeroGrad?: boolean;
  readonly isStill?: boolean;
  readonly targetType?: string;
  readonly evaluatesIn?: "train" | "eval";
}

/** A trace as TrainCheck writes it: calls with what they call in turn, and states of parameters behind the step. */
function traceOf({
  hasZeroGrad = true,
  isStill = false,
  targetType = "torch.int64",
  evaluatesIn = "eval",
}: Faults): string {
  const lines: object[] = [];
  let id = 0;
  const call = (
    name: string,
    step: number,
    ...[more = {}, inner]: [object?, (() => void)?]
  ): void => {
    id += 1;
    const own = {
      func_call_id: String(id),
      thread_id: 1,
      process_id: 77,
      meta_vars: { step, stage: "training", ...more },
    };
    lines.push({
      ...own,
      type: "function_call (pre)",
      function: name,
      is_bound_method: true,
      obj_id: 5,
      ...more,
    });
    inner?.();
    lines.push({ ...own, type: "function_call (post)", function: name });
  };
  const tensor = (shape: number[], dtype: string): object => ({
    "torch.Tensor": { shape, dtype, requires_grad: true },
  });
  const state = (step: number, data: number, grad: number | null): void => {
    lines.push({
      process_id: 77,
      thread_id: 1,
      meta_vars: { step, stage: "training" },
      var_name: "fc.weight",
      var_type: "torch.nn.Parameter",
      mode: "update",
      dump_loc: null,
      attributes: {
        _TRAINCHECK_data_ID: 9,
        data,
        grad,
        requires_grad: true,
        dtype: "torch.float32",
      },
      type: "state_change",
      time: step,
    });
  };
  for (let step = 0; step < 24; step += 1) {
    call(
      "torch.nn.modules.module.Module.train",
      step,
      { args: { 0: { "net.Net": {} } }, kwargs: {} },
      () =>
        call("torch.nn.modules.module.Module.train", step, { args: { 0: {}, 1: { bool: true } } }),
    );
    if (hasZeroGrad) call("torch.optim.optimizer.Optimizer.zero_grad", step);
    call(
      "torch.nn.modules.loss.CrossEntropyLoss.forward",
      step,
      {
        args: {
          0: {
            "torch.nn.modules.loss.CrossEntropyLoss": { ignore_index: -100, reduction: "mean" },
          },
          1: tensor([8, 10], "torch.float32"),
          2: tensor([8], targetType),
        },
      },
      () => call("torch.nn.functional.cross_entropy", step),
    );
    call("torch._tensor.Tensor.backward", step, {}, () => call("torch.autograd.backward", step));
    call("torch.optim.adam.Adam.step", step);
    state(step, isStill ? 4 : step, 11);
    call("torch.optim.lr_scheduler.StepLR.step", step);
    if (step % 8 === 7) {
      const stage = { stage: "evaluation" };
      if (evaluatesIn === "eval") call("torch.nn.modules.module.Module.eval", step, stage);
      call("torch.nn.functional.cross_entropy", step, {
        ...stage,
        args: { 0: tensor([8, 10], "torch.float32"), 1: tensor([8], "torch.int64") },
      });
    }
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function check(faults: Faults) {
  const bytes = new TextEncoder().encode(traceOf(faults));
  const { evidence, unreadable } = readEvidence([{ name: "trace_API_77_1.log", bytes }]);
  expect(unreadable).toEqual([]);
  expect(evidence[0]?.source.format).toBe("training-calls");
  const snapshot = createSnapshot(evidence);
  return { evidence, order: stepOrder.check(snapshot)[0], losses: lossInputs.check(snapshot) };
}

describe("a trace of calls", () => {
  it("gives the calls of each step, without those that they make in turn", () => {
    const { evidence } = check({});
    const [first] = evidence;
    expect(first?.content).toMatchObject({
      kind: "training",
      steps: expect.arrayContaining([
        expect.objectContaining({
          step: 0,
          phase: "train",
          mode: "train",
          calls: ["zero_grad", "loss", "backward", "step", "scheduler_step"],
        }),
      ]),
    });
  });

  it("of a healthy run is in order", () => {
    const { order, losses } = check({});
    expect(order).toMatchObject({ verdict: "holds" });
    expect(losses.map(({ verdict }) => verdict)).not.toContain("violated");
  });

  it("shows gradients that are never cleared", () => {
    expect(check({ hasZeroGrad: false }).order).toMatchObject({ verdict: "violated" });
  });

  it("shows parameters that no step changes", () => {
    const { order } = check({ isStill: true });
    expect(order).toMatchObject({ verdict: "violated" });
    expect(order?.title).toContain("No parameter changes over 23 steps");
  });

  it("shows targets of another type", () => {
    const { losses } = check({ targetType: "torch.float32" });
    expect(losses[0]).toMatchObject({
      verdict: "violated",
      title: "CrossEntropyLoss was given class indices as float32",
    });
  });

  it("shows a model that is evaluated in training mode", () => {
    expect(check({ evaluatesIn: "train" }).order).toMatchObject({
      verdict: "violated",
      title: "The model is evaluated in training mode",
    });
  });

  it("that is flat says the same", () => {
    const flat = traceOf({ isStill: true })
      .replaceAll(
        /"meta_vars":\{"step":(\d+),"stage":"(\w+)"[^{}]*(?:\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\}[^{}]*)*\}/g,
        '"meta_vars.step":$1,"meta_vars.stage":"$2"',
      )
      .replaceAll(
        /"attributes":\{"_TRAINCHECK_data_ID":9,"data":(\d+),"grad":(\d+),[^}]*\}/g,
        '"attributes.data":$1,"attributes.grad":$2,"attributes.requires_grad":true,"exception":NaN',
      );
    const { evidence } = readEvidence([
      { name: "trace.json", bytes: new TextEncoder().encode(flat) },
    ]);
    expect(stepOrder.check(createSnapshot(evidence))[0]?.title).toContain("No parameter changes");
  });
});

it("a healthy trace teaches what another breaks", () => {
  const { evidence } = check({});
  const other = check({ hasZeroGrad: false }).evidence;
  const parts = [...evidence, ...other].map(({ source, content }, index) => ({
    source,
    content:
      content.kind === "training" && index === 0
        ? { ...content, role: "baseline" as const, run: "good" }
        : content,
  }));
  const findings = learnedInvariants.check(createSnapshot(parts));
  expect(findings.map(({ verdict }) => verdict)).toEqual(["violated"]);
});

it("any change of it ends in a run or in a named fault", () => {
  survivesAnyInput(trainingFormats, [traceOf({}).slice(0, 6_000)]);
});
