/** Reads traces of calls of PyTorch and of states of variables, one record on each line, as TrainCheck collects them. */

import { type Fields, isFields } from "../../model/fields.ts";
import type {
  LossCall,
  ParameterState,
  TrainingCall,
  TrainingContent,
  TrainingStep,
} from "../../model/training.ts";
import { cutText } from "../../text/cut-text.ts";
import { textHash } from "../../text/text-hash.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { firstObjectOf } from "../tracing/documents.ts";
import { quoteBareNumbers } from "./bare-numbers.ts";
import { trainingLimits } from "./limits.ts";
import { NamedValues, present } from "./named-values.ts";
import { tracedLoss } from "./traced-loss.ts";

const recordTypes = /^(?:function_call \((?:pre|post)\)(?: \(exception\))?|state_change)$/;

/** Whether a text begins as such a trace. */
export function recogniseCallTrace(head: string): boolean {
  const first = firstObjectOf(quoteBareNumbers(head));
  return (
    isFields(first) &&
    typeof first["type"] === "string" &&
    recordTypes.test(first["type"]) &&
    ("function" in first || "var_name" in first) &&
    Object.keys(first).some((name) => name.startsWith("meta_vars"))
  );
}

/** Reads the records of each process as a run. */
export function readCallTrace(input: FormatInput): FileContent {
  const name = cutText(input.name.replace(/\.\w+$/, ""), 256);
  const byProcess = new Map<string, ProcessReading>();
  let lineNumber = 0;
  for (const line of input.text().split("\n")) {
    lineNumber += 1;
    if (line.trim() === "") continue;
    const record = parseJson(quoteBareNumbers(line), lineNumber - 1);
    if (!isFields(record)) continue;
    const process = JSON.stringify(record["process_id"] ?? null);
    const known = byProcess.get(process);
    if (known === undefined && byProcess.size === trainingLimits.runCountMax)
      throw tooMany("processes");
    const reading = known ?? new ProcessReading(name, byProcess.size);
    byProcess.set(process, reading);
    reading.take(record);
  }
  const processes = [...byProcess]
    .map(([process, reading]) => ({
      process,
      times: reading.times,
      content: reading.content(),
    }))
    .filter(({ content }) => content.steps.length > 0);
  if (processes.length === 0) {
    throw new EvidenceError("The trace has no call and no parameter of training.", {
      expected: "calls of optimizers, losses and backward passes, or states of parameters",
    });
  }
  return { processes, notes: [] };
}

function tooMany(what: string): EvidenceError {
  return new EvidenceError(`The trace has too many ${what}.`, {
    expected: `at most ${what === "steps" ? trainingLimits.stepCountMax : trainingLimits.runCountMax} ${what}`,
  });
}

interface TracedStep {
  readonly step: number;
  readonly phase: "train" | "eval" | undefined;
  mode: "train" | "eval" | undefined;
  readonly calls: TrainingCall[];
  readonly losses: LossCall[];
  readonly parameters: Map<string, ParameterState>;
}

/** Steps back to which a record may still belong. */
const openStepCountMax = 8;

class ProcessReading {
  readonly #name: string;
  readonly #rank: number;
  readonly #steps: TracedStep[] = [];
  readonly #values = new Map<string, string>();
  /** The call that is under way: what it calls in turn is its own affair. */
  #open: unknown;
  #mode: "train" | "eval" | undefined;
  #hasCalls = false;
  #from = Infinity;
  #to = -Infinity;

  constructor(name: string, rank: number) {
    this.#name = name;
    this.#rank = rank;
  }

  /** When its first and its last record were written, where they say so. */
  get times(): readonly [number, number] | undefined {
    return this.#from <= this.#to ? [this.#from, this.#to] : undefined;
  }

  take(record: Fields): void {
    const { time } = record;
    if (typeof time === "number") {
      this.#from = Math.min(this.#from, time);
      this.#to = Math.max(this.#to, time);
    }
    switch (record["type"]) {
      case "function_call (pre)":
        this.#call(record);
        break;
      case "function_call (post)":
      case "function_call (post) (exception)":
        if (record["func_call_id"] === this.#open) this.#open = undefined;
        break;
      case "state_change":
        this.#state(record);
        break;
      default:
    }
  }

  content(): TrainingContent {
    const steps = this.#steps.filter(
      ({ calls, losses, parameters, mode }) =>
        calls.length + losses.length + parameters.size > 0 || mode !== undefined,
    );
    return {
      kind: "training",
      run: this.#name,
      framework: "torch",
      rank: this.#rank,
      steps: steps
        .map((traced): TrainingStep =>
          present({
            step: traced.step,
            phase: traced.phase,
            mode: traced.mode,
            calls: this.#hasCalls ? traced.calls : undefined,
            losses: traced.losses.length === 0 ? undefined : traced.losses,
            parameters: traced.parameters.size === 0 ? undefined : [...traced.parameters.values()],
          }),
        )
        .toSorted((left, right) => left.step - right.step),
    };
  }

  #call(record: Fields): void {
    const name = typeof record["function"] === "string" ? record["function"] : "";
    if (this.#open !== undefined) return;
    const mode = modeAfter(name, record);
    const call = callOf(name);
    if (mode === undefined && call === undefined) return;
    this.#open = record["func_call_id"];
    if (mode !== undefined) this.#mode = mode;
    const step = this.#stepOf(record);
    if (step === undefined) return;
    step.mode ??= this.#mode;
    if (call === undefined) return;
    this.#hasCalls = true;
    if (step.calls.length < trainingLimits.callCountMax) step.calls.push(call);
    const loss = call === "loss" ? tracedLoss(name, record) : undefined;
    if (loss !== undefined && step.losses.length < trainingLimits.lossCountMax)
      step.losses.push(loss);
  }

  #state(record: Fields): void {
    const { var_name: name, var_type: type } = record;
    if (typeof name !== "string" || typeof type !== "string" || !/Parameter|Tensor/.test(type))
      return;
    const attributes = attributesOf(record);
    const step = this.#stepOf(record);
    if (step === undefined || step.parameters.size >= trainingLimits.parameterCountMax) return;
    const data = attributes.first("data");
    const value = data === undefined ? undefined : String(textHash(JSON.stringify(data)));
    const before = this.#values.get(name);
    if (value !== undefined) this.#values.set(name, value);
    const known = step.parameters.get(name);
    const isChanged = value !== undefined && before !== undefined && value !== before;
    step.parameters.set(
      cutText(name, 512),
      present({
        name: cutText(name, 512),
        requiresGradient: attributes.flag("requiresgrad") ?? known?.requiresGradient,
        hasGradient: attributes.first("grad") !== undefined || known?.hasGradient === true,
        hasChanged:
          value === undefined || before === undefined
            ? known?.hasChanged
            : isChanged || known?.hasChanged === true,
        checksum: value ?? known?.checksum,
      }),
    );
  }

  #stepOf(record: Fields): TracedStep | undefined {
    const { step, phase } = placeOf(record);
    const last = this.#steps.at(-1);
    if (step === undefined) return last;
    if (last?.step === step && last.phase === phase) return last;
    const known = this.#steps
      .slice(-openStepCountMax)
      .findLast((traced) => traced.step === step && traced.phase === phase);
    if (known !== undefined) return known;
    if (this.#steps.length === trainingLimits.stepCountMax) throw tooMany("steps");
    const next = {
      step,
      phase,
      mode: undefined,
      calls: [],
      losses: [],
      parameters: new Map<string, ParameterState>(),
    };
    this.#steps.push(next);
    return next;
  }
}

/** The step and the stage that stand with a record, in fields of their own or in one. */
function placeOf(
  record: Fields,
): Pick<TracedStep, "phase"> & { readonly step: number | undefined } {
  const inner = record["meta_vars"];
  const named = new NamedValues(isFields(inner) ? inner : {});
  const outer = new NamedValues(record);
  const stage = named.text("stage", 64) ?? outer.text("metavarsstage", 64);
  const step = named.count("step") ?? outer.count("metavarsstep");
  const isEval = stage !== undefined && /^(?:eval|test|valid|infer)/i.test(stage);
  return { step, phase: isEval ? "eval" : stage === undefined ? undefined : "train" };
}

function attributesOf(record: Fields): NamedValues {
  const { attributes } = record;
  if (isFields(attributes)) return new NamedValues(attributes);
  const flat = Object.entries(record).flatMap(([name, value]) =>
    name.startsWith("attributes.") ? [[name.slice(11), value] as const] : [],
  );
  return new NamedValues(Object.fromEntries(flat));
}

function callOf(name: string): TrainingCall | undefined {
  if (name.endsWith(".zero_grad")) return "zero_grad";
  if (/lr_scheduler\b.*\.step$/.test(name)) return "scheduler_step";
  if (/optim\w*\b.*\.step$/i.test(name)) return "step";
  if (/(?:^|\.)(?:Tensor|autograd)\.backward$/.test(name)) return "backward";
  const isLoss =
    /^torch\.nn\.(?:modules\.loss\.\w+\.forward|functional\.(?:\w*cross_entropy\w*|\w*_loss\w*|kl_div))$/;
  return isLoss.test(name) ? "loss" : undefined;
}

/** The mode into which a call puts a model: those that it puts its parts into are calls within it. */
function modeAfter(name: string, record: Fields): "train" | "eval" | undefined {
  if (/\bModule\.eval$/.test(name)) return "eval";
  if (!/\bModule\.train$/.test(name)) return undefined;
  return /"(?:1|mode)":\{"bool":false\}/.test(JSON.stringify([record["args"], record["kwargs"]]))
    ? "eval"
    : "train";
}
