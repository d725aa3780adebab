import { describe, expect, it } from "vitest";

import { survivesAnyInput } from "../../../test/survives.ts";
import type { TrainingContent } from "../../model/training.ts";
import { readEvidence } from "../read-evidence.ts";
import { trainingFormats } from "./formats.ts";

function read(text: string, name: string): TrainingContent[] {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  return evidence.flatMap(({ content }) => (content.kind === "training" ? [content] : []));
}

const lightning = `epoch,lr-Adam,step,train_loss,val_loss
0,0.001,49,2.31,
0,,49,,2.29
1,0.001,99,1.8,
`;
const keras = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.1,2.3,0.1,2.31\n1,0.4,nan,0.3,1.9\n";
const wandb = `"Step","calm-fox-1 - train/loss","calm-fox-1 - train/loss__MIN","calm-fox-1 - train/loss__MAX","red-owl-2 - train/loss"
"1","2.3","2.3","2.3",""
"2","2.1","2.1","2.1","2.4"
`;
const history =
  '{"accuracy": [0.1, 0.2], "loss": [2.3, NaN], "val_loss": [2.4, 2.2], "lr": [0.001, 0.001]}';
const printed = `  1%|▏         | 10/1000 [00:05<08:15,  2.00it/s]{'loss': 2.3126, 'grad_norm': 1.25, 'learning_rate': 4.95e-05, 'epoch': 0.01}
{'loss': 2.2, 'grad_norm': nan, 'learning_rate': 4.9e-05, 'epoch': 0.02}
{'eval_loss': 2.1, 'eval_runtime': 3.2, 'epoch': 0.02}
`;

describe("runs as trainers and trackers write them", () => {
  it("Lightning's metrics have a row for each phase", () => {
    expect(read(lightning, "metrics.csv")).toMatchObject([
      {
        run: "metrics",
        steps: [
          { step: 49, loss: 2.31, learningRates: [0.001] },
          { step: 49, loss: 2.29, phase: "eval" },
          { step: 99, loss: 1.8 },
        ],
      },
    ]);
  });

  it("Keras' table counts epochs, and its loss is that of training", () => {
    const [run] = read(keras, "training.csv");
    expect(run?.steps).toMatchObject([
      { step: 0, loss: 2.3 },
      { step: 1, loss: "NaN" },
    ]);
    expect(run?.steps[0]).not.toHaveProperty("phase");
  });

  it("a chart of Weights & Biases has a column for each run", () => {
    const runs = read(wandb, "wandb_export.csv");
    expect(runs.map(({ run, steps }) => [run, steps.map(({ loss }) => loss)])).toEqual(
      expect.arrayContaining([
        ["calm-fox-1", [2.3, 2.1]],
        ["red-owl-2", [2.4]],
      ]),
    );
  });

  it("a history of Weights & Biases is a record for each step", () => {
    const lines = `{"_step":1,"_runtime":3.5,"_timestamp":1700000000,"train/loss":2.3,"train/grad_norm":"Infinity"}\n`;
    expect(read(lines, "history.jsonl")).toMatchObject([
      { steps: [{ step: 1, loss: 2.3, gradientNorm: "Infinity" }] },
    ]);
  });

  it("a scalar of TensorBoard is named by its file", () => {
    const table = "Wall time,Step,Value\n1700000000.5,0,2.3\n1700000001.5,10,1.9\n";
    expect(read(table, "run-a-tag-train_loss.csv")[0]?.steps).toMatchObject([
      { step: 0, loss: 2.3 },
      { step: 10, loss: 1.9 },
    ]);
    const list = "[[1700000000.5, 0, 1.3], [1700000001.5, 10, NaN]]";
    expect(read(list, "grad_norm.json")[0]?.steps).toMatchObject([
      { step: 0, gradientNorm: 1.3 },
      { step: 10, gradientNorm: "NaN" },
    ]);
  });

  it("a history of Keras is a list for each measure", () => {
    expect(read(history, "history.json")[0]?.steps).toMatchObject([
      { step: 0, loss: 2.3, learningRates: [0.001] },
      { step: 1, loss: "NaN" },
    ]);
  });

  it("what a trainer prints between its bars is read in its order", () => {
    expect(read(printed, "stdout.txt")[0]?.steps).toMatchObject([
      { step: 0, loss: 2.3126, gradientNorm: 1.25, learningRates: [4.95e-5] },
      { step: 1, loss: 2.2, gradientNorm: "NaN" },
      { step: 2, loss: 2.1, phase: "eval" },
    ]);
  });
});

it.each([
  ["time,step,packet_loss\n1700000000,1,0.1\n", "net.csv"],
  ["Wall time,Step,Value\n1700000000.5,0,2.3\n", "run-a-tag-accuracy.csv"],
  ["trace_id,step,loss\nabc,1,0.1\n", "x.csv"],
  ["epoch,loss_rate\n1700000000,0.1\n", "x.csv"],
  ['{"loss": "high", "items": [1]}', "x.json"],
])("other tables and lists are no runs: %s", (text, name) => {
  const input = { bytes: new Uint8Array(), head: text, name, text: () => text };
  expect(trainingFormats.filter((format) => format.recognise(input))).toEqual([]);
});

it("any change of them ends in a run or in a named fault", () => {
  survivesAnyInput(trainingFormats, [lightning, keras, wandb, history, printed]);
});

const strangers: readonly (readonly [string, string])[] = [
  [
    "of a back-test",
    "step,date,equity,profit,loss\n0,2026-01-01,10000,50,0\n1,2026-01-02,9900,0,150\n",
  ],
  [
    "of trades",
    "iteration,ticker,open,close,gain,loss\n1,ABC,1.5,1.6,0.1,0\n2,ABC,1.6,1.5,0,0.1\n",
  ],
  ["of an insurer", "step,policy_id,premium,claim,loss\n1,77,120,0,0\n2,78,130,900,770\n"],
  ["of losses by year", "epoch,region,loss_amount,loss_ratio\n1,north,1200,0.4\n2,south,800,0.2\n"],
  [
    "of fraud in payments",
    "step,type,amount,oldbalance,newbalance,loss\n1,PAYMENT,9839,170136,160296,0\n",
  ],
  ["of a network", "step,rtt_ms,packets,loss\n0,12,100,0\n1,14,100,3\n"],
  ["of a radio", "iteration,freq_mhz,path_loss,snr\n1,2400,80.1,20\n2,2410,80.4,19\n"],
  ["of a pipe", "step,flow,pressure,head_loss\n1,2.5,3.1,0.2\n2,2.6,3.0,0.3\n"],
  ["of a furnace", "iteration,temperature,heat_loss,efficiency\n1,900,12,0.8\n2,910,13,0.79\n"],
  ["of a game", "step,player,win,loss\n1,ann,1,0\n2,bob,0,1\n"],
  ["of a diet", "epoch,patient,weight,weight_loss\n1,a,80,0\n2,a,79,1\n"],
  ["of a battery", "iters,voltage,current,energy_loss\n1,3.7,1,0.01\n2,3.6,1,0.02\n"],
  ["of a funnel", "step,visitors,orders,loss\n1,1000,10,990\n2,10,5,5\n"],
  [
    "of a back-test as JSON",
    '{"step":1,"profit":20,"loss":5,"balance":1000}\n{"step":2,"profit":0,"loss":9,"balance":991}',
  ],
  [
    "of packets as JSON",
    '[{"iteration":1,"packets":100,"loss":2},{"iteration":2,"packets":100,"loss":0}]',
  ],
];

const own: readonly (readonly [string, string])[] = [
  ["of a plain loss", "step,loss\n0,2.3\n1,2.2\n"],
  ["of nanoGPT", "iter,loss,dt,mfu\n0,10.9,900,-1\n10,9.1,130,12\n"],
  ["of parts of a loss with a rate", "step,ce_loss,kl_loss,lr\n0,2.3,0.1,0.001\n1,2.2,0.1,0.001\n"],
  ["of folders", "step,train/loss,train/custom_thing\n0,2.3,7\n1,2.2,8\n"],
  ["of reinforcement", "step,loss,reward,kl,custom\n0,2.3,0.1,0.2,5\n1,2.2,0.1,0.2,6\n"],
  ["of segmentation", "epoch,loss,miou,anything\n0,2.3,0.1,0.2\n1,2.2,0.1,0.2\n"],
  ["of a GAN", "epoch,g_loss,d_loss\n0,0.7,0.7\n1,0.9,0.5\n"],
  [
    "of detection",
    "epoch,train/box_loss,metrics/mAP50,val/box_loss\n1,1.2,0.1,1.3\n2,1.1,0.2,1.2\n",
  ],
];

describe("tables with steps and losses", () => {
  const formatsOf = (name: string, text: string): string[] =>
    readEvidence([{ name, bytes: new TextEncoder().encode(text) }]).evidence.map(
      ({ source }) => source.format,
    );

  it.each(strangers)("%s are no run of training", (_what, text) => {
    expect(formatsOf("table.csv", text).filter((format) => format.startsWith("training"))).toEqual(
      [],
    );
  });

  it.each(own)("%s are a run of training", (_what, text) => {
    expect(formatsOf("table.csv", text)).toEqual(["training-csv"]);
  });

  it("of a loss for the balance of experts, or with an overflow, are a run of training", () => {
    const step = { step: 1, loss: 2.3, load_balance_loss: 0.1, overflow: false, experts: 8 };
    const lines = [step, { ...step, step: 2 }].map((line) => JSON.stringify(line)).join("\n");
    expect(formatsOf("table.jsonl", lines)).toEqual(["training-steps"]);
  });
});
