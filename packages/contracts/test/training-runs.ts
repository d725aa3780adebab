/** Records of training for tests, and the same records told in other ways. */

import type { LogsContent } from "../src/model/evidence.ts";
import type { Finding } from "../src/model/finding.ts";
import type { Snapshot } from "../src/model/snapshot.ts";
import type {
  LossCall,
  ParameterState,
  TrainingCall,
  TrainingContent,
  TrainingStep,
} from "../src/model/training.ts";
import { createSnapshot } from "../src/snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../src/snapshot/file.ts";

/** Numbers from 0 to 1 that are the same at every run of a test. */
export function numbersFrom(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e_37_79_b1) | 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** About a standard normal number. */
export function normalFrom(random: () => number): number {
  return Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
}

export const usualCalls: TrainingCall[] = ["zero_grad", "forward", "loss", "backward", "step"];

/** A call of a cross-entropy over `classCount` classes. */
export function crossEntropy(classCount: number, value?: number): LossCall {
  return {
    loss: "CrossEntropyLoss",
    input: { shape: [32, classCount], dtype: "float32", min: -3, max: 3 },
    target: { shape: [32], dtype: "int64", min: 0, max: classCount - 1 },
    reduction: "mean",
    ...(value === undefined ? {} : { value }),
  };
}

/** A parameter as it is at a healthy step. */
export function parameterOf(name: string, change: Partial<ParameterState> = {}): ParameterState {
  return {
    name,
    requiresGradient: true,
    isOptimized: true,
    gradientNorm: 0.5,
    updateNorm: 0.01,
    ...change,
  };
}

/** A run of steps of the optimizer, each changed as a case wants it. */
export function runOf(
  count: number,
  change: (step: number) => Partial<TrainingStep>,
  header: Partial<TrainingContent> = {},
): TrainingContent {
  const steps = Array.from({ length: count }, (_, step): TrainingStep => ({
    step,
    mode: "train",
    learningRates: [0.001],
    calls: usualCalls,
    ...change(step),
  }));
  return { kind: "training", run: "r", rank: 0, steps, ...header };
}

export function snapshotOfRuns(...contents: readonly TrainingContent[]): Snapshot {
  return createSnapshot(
    contents.map((content, index) => ({
      source: { name: `run-${index}.jsonl`, format: "training-telemetry", notes: [] },
      content,
    })),
  );
}

interface RunVariant {
  readonly name: string;
  readonly snapshot: Snapshot;
  /** What stands for the old names in findings. */
  readonly restore: (text: string) => string;
}

const logs: LogsContent = { kind: "logs", lines: [{ text: "unrelated line" }] };
const unrelatedRun = runOf(3, () => ({}), { run: "unrelated-run" });
const same = (text: string): string => text;

/** The same runs in another order, twice, beside other evidence, under other names, through a file. */
export function runVariants(contents: readonly TrainingContent[]): RunVariant[] {
  const shuffled = contents.map((content) => ({
    ...content,
    steps: content.steps.map((step) =>
      step.parameters === undefined ? step : { ...step, parameters: step.parameters.toReversed() },
    ),
  }));
  const renamed = contents.map((content) => ({ ...content, run: `${content.run}-renamed` }));
  const other = createSnapshot([
    ...snapshotOfRuns(...contents).evidence,
    { source: { name: "app.log", format: "log-lines", notes: [] }, content: logs },
  ]);
  return [
    { name: "in reverse", snapshot: snapshotOfRuns(...contents.toReversed()), restore: same },
    { name: "twice", snapshot: snapshotOfRuns(...contents, ...contents), restore: same },
    {
      name: "with parameters in another order",
      snapshot: snapshotOfRuns(...shuffled),
      restore: same,
    },
    { name: "beside logs", snapshot: other, restore: same },
    {
      name: "beside another run",
      snapshot: snapshotOfRuns(unrelatedRun, ...contents),
      restore: same,
    },
    {
      name: "under another name",
      snapshot: snapshotOfRuns(...renamed),
      restore: (text) => text.replaceAll("-renamed", ""),
    },
    {
      name: "through a file",
      snapshot: decodeSnapshotFile(encodeSnapshotFile(snapshotOfRuns(...contents))),
      restore: same,
    },
  ];
}

/** Findings without the ids of evidence, as the variant `restore`s them, in an order of their own. */
export function factsOf(
  findings: readonly Finding[],
  restore: (text: string) => string = same,
): unknown[] {
  return findings
    .filter(({ subject }) => !subject.name.startsWith("unrelated-run"))
    .map(({ verdict, subject, title, measures, evidence }) => ({
      verdict,
      subject: restore(subject.name),
      title: restore(title),
      measures,
      quotes: new Set(evidence.map(({ quote = "" }) => restore(quote))),
    }))
    .toSorted((left, right) => (left.subject + left.title < right.subject + right.title ? -1 : 1));
}
