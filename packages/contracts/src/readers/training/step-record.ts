/** One step of a record of training, whoever wrote it. */

import { type Fields, isFields } from "../../model/fields.ts";
import type {
  LossCall,
  Measured,
  ParameterState,
  TensorFacts,
  TrainingCall,
  TrainingStep,
} from "../../model/training.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import { trainingLimits } from "./limits.ts";
import { measuredOf, NamedValues, present } from "./named-values.ts";
import { areOfTraining, isOfOtherTrade } from "./training-words.ts";

const nameLengthMax = 512;
const wordLengthMax = 64;
const stepNames =
  "step globalstep iteration iter currentstep trainstep batch traineriteration trainerglobalstep trainglobalstep epoch";
const lossNames =
  "loss trainloss trainingloss lossvalue trainlossstep lossstep trainbatchloss batchloss trainlossepoch lossepoch traintotalloss totalloss";
const evaluationNames = "evalloss valloss validationloss testloss vallossepoch vallossstep";
const gradientNames = "gradientnorm gradnorm totalnorm globalgradnorm traingradnorm gradientnorms";
const rateNames = "learningrates learningrate lr lrs trainlr trainlearningrate";

/** Whether a record tells of a step: its number, and something that was measured at it. */
export function isStepRecord(value: unknown): boolean {
  if (!isFields(value)) return false;
  const named = new NamedValues(value);
  const isMeasured = [lossNames, evaluationNames, gradientNames].some(
    (names) => named.measured(names) !== undefined,
  );
  return (
    named.count(stepNames) !== undefined &&
    ((isMeasured && areLikely(namesOf(value))) ||
      // Steps of agents have calls as well, but of tools.
      (callsOf(named) ?? []).length > 0 ||
      (named.list("losses") ?? []).some((item) => lossOf(item).length > 0))
  );
}

/** A record says by its own words that it is one of training, or at least by none that it is of another trade. */
function areLikely(names: readonly string[]): boolean {
  return areOfTraining(names) || !names.some(isOfOtherTrade);
}

/** Names as tables write them: `trainLoss` is `train_loss`. */
function namesOf(record: Fields): string[] {
  return Object.keys(record).map((name) =>
    name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase(),
  );
}

/** The step that a record tells of, or nothing where it has no number. */
export function stepOf(value: unknown): TrainingStep | undefined {
  if (!isFields(value)) return undefined;
  const named = new NamedValues(value);
  const step = named.count(stepNames);
  // The summary that a trainer writes last has the mean of all losses.
  if (step === undefined || named.first("trainruntime") !== undefined) return undefined;
  const parameters = named.list("parameters params")?.flatMap(parameterOf);
  if (parameters !== undefined) refuseBeyond(parameters.length, "parameterCountMax");
  const losses = named.list("losses")?.flatMap(lossOf).slice(0, trainingLimits.lossCountMax);
  const single = named.first("losscall");
  return present({
    step,
    phase:
      phaseOf(named.text("phase stage split", wordLengthMax)) ??
      (named.measured(lossNames) === undefined && named.first(evaluationNames) !== undefined
        ? "eval"
        : undefined),
    mode: modeOf(named),
    loss: named.measured(lossNames) ?? named.measured(evaluationNames),
    learningRates: ratesOf(named.first(rateNames)),
    gradientNorm: named.measured(gradientNames),
    gradientNormBefore: named.measured("gradientnormbefore"),
    lossScale: named.number("lossscale scale gradscale"),
    calls: callsOf(named),
    shard: named.text("shard datahash shardhash datashardhash batchhash", 128),
    losses: losses ?? (single === undefined ? undefined : lossOf(single)),
    parameters,
  });
}

function refuseBeyond(count: number, limit: "parameterCountMax"): void {
  const most = trainingLimits[limit];
  if (count <= most) return;
  throw new EvidenceError("A step has too many parameters.", {
    expected: `at most ${most} parameters at one step`,
  });
}

function phaseOf(text: string | undefined): TrainingStep["phase"] {
  if (text === undefined) return undefined;
  if (/^train/i.test(text)) return "train";
  return /^(?:eval|valid|test|infer)/i.test(text) ? "eval" : undefined;
}

function modeOf(named: NamedValues): TrainingStep["mode"] {
  const isTraining = named.flag("training istraining modeltraining");
  if (isTraining !== undefined) return isTraining ? "train" : "eval";
  return phaseOf(named.text("mode modelmode", wordLengthMax));
}

function ratesOf(value: unknown): number[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const rates = list.filter(
    (rate): rate is number => typeof rate === "number" && Number.isFinite(rate),
  );
  return rates.length === 0 ? undefined : rates.slice(0, 1_024);
}

const callWords: ReadonlyMap<string, TrainingCall> = new Map(
  (
    [
      ["zero_grad", "zerograd"],
      ["forward", "forward model"],
      ["loss", "loss criterion"],
      ["backward", "backward lossbackward"],
      ["step", "step optimizerstep optstep"],
      ["skipped_step", "skippedstep skipstep"],
      ["scheduler_step", "schedulerstep lrschedulerstep"],
    ] as const
  ).flatMap(([call, words]) => words.split(" ").map((word) => [word, call] as const)),
);

function callsOf(named: NamedValues): TrainingCall[] | undefined {
  const list = named.list("calls events order callorder");
  if (list === undefined) return undefined;
  const calls = list.slice(0, trainingLimits.callCountMax).flatMap((item) => {
    const text = typeof item === "string" ? item.toLowerCase() : "";
    const words = text.replace(/[^a-z]/g, "");
    const call =
      callWords.get(words) ?? (/zero_?grad/.test(text) ? ("zero_grad" as const) : undefined);
    return call === undefined ? [] : [call];
  });
  return calls;
}

function parameterOf(value: unknown): ParameterState[] {
  if (!isFields(value)) return [];
  const named = new NamedValues(value);
  const name = named.text("name", nameLengthMax);
  if (name === undefined) return [];
  return [
    present({
      name,
      requiresGradient: named.flag("requiresgradient requiresgrad trainable"),
      isOptimized: named.flag("isoptimized inoptimizer optimized"),
      isReplicated: named.flag("isreplicated replicated"),
      learningRate: named.number("learningrate lr"),
      norm: named.measured("norm weightnorm"),
      gradientNorm: named.measured("gradientnorm gradnorm"),
      updateNorm: named.measured("updatenorm deltanorm"),
      hasGradient: named.flag("hasgradient hasgrad"),
      hasChanged: named.flag("haschanged changed ischanged"),
      checksum: named.text("checksum hash", wordLengthMax),
    }),
  ];
}

/** The call of a loss that a record tells of: none or one. */
export function lossOf(value: unknown): LossCall[] {
  if (!isFields(value)) return [];
  const named = new NamedValues(value);
  const loss = named.text("loss kind type lossfunction lossfn name", nameLengthMax);
  const input = tensorOf(named.first("input inputs logits prediction predictions output"));
  const target = tensorOf(named.first("target targets label labels"));
  if (loss === undefined || input === undefined || target === undefined) return [];
  return [
    present({
      loss,
      input,
      target,
      reduction: named.text("reduction", wordLengthMax),
      ignoreIndex: named.integer("ignoreindex"),
      ignoredCount: named.count("ignoredcount"),
      labelSmoothing: named.number("labelsmoothing"),
      weightCount: named.count("weightcount"),
      value: named.measured("value result"),
    }),
  ];
}

function tensorOf(value: unknown): TensorFacts | undefined {
  if (!isFields(value)) return undefined;
  const named = new NamedValues(value);
  const shape = named.list("shape size dims");
  if (shape === undefined || shape.length > 32) return undefined;
  const lengths = shape.filter((length): length is number => isLength(length));
  if (lengths.length !== shape.length) return undefined;
  return present({
    shape: lengths,
    dtype: dtypeOf(named.text("dtype type", wordLengthMax)),
    min: boundOf(named, "min minimum"),
    max: boundOf(named, "max maximum"),
    classSumMin: boundOf(named, "classsummin rowsummin summin"),
    classSumMax: boundOf(named, "classsummax rowsummax summax"),
    madeBy: named.text("madeby producedby activation from", nameLengthMax),
  });
}

function isLength(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function boundOf(named: NamedValues, names: string): Measured | undefined {
  return measuredOf(named.first(names));
}

const dtypeWords: Readonly<Record<string, string>> = {
  float: "float32",
  double: "float64",
  half: "float16",
  long: "int64",
  int: "int32",
  short: "int16",
  byte: "uint8",
  char: "int8",
  boolean: "bool",
};

/** A type of element by the name that PyTorch prints, without its module. */
function dtypeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bare = text.replace(/^torch\./, "").toLowerCase();
  return cutText(Object.hasOwn(dtypeWords, bare) ? (dtypeWords[bare] ?? bare) : bare, 64);
}
