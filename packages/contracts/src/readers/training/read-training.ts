/** Reads records of training: telemetry, a trainer's state, and lines of steps. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { TrainingContent, TrainingStep } from "../../model/training.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { documentsOf, firstObjectOf } from "../tracing/documents.ts";
import { quoteBareNumbers } from "./bare-numbers.ts";
import { trainingLimits } from "./limits.ts";
import { NamedValues, present } from "./named-values.ts";
import { isStepRecord, stepOf } from "./step-record.ts";

/** The version of the telemetry that this reader knows. */
const telemetryVersion = 1;
const nameLengthMax = 256;

/** Whether a text begins as telemetry in our own format. */
export function recogniseTelemetry(head: string): boolean {
  return /^[\s\uFEFF]*\{\s*"faultline"\s*:\s*"training"/.test(head);
}

/** Whether a text begins as steps of training in another form. */
export function recogniseTrainingSteps(head: string): boolean {
  if (/^\s*\{[\s\S]{0,60000}?"log_history"\s*:\s*\[/.test(head)) return true;
  const first = firstObjectOf(quoteBareNumbers(head));
  if (!isFields(first)) return false;
  const steps: unknown = first["steps"];
  const listed = Array.isArray(steps) ? (steps[0] as unknown) : undefined;
  return isStepRecord(first) || isStepRecord(listed);
}

/** Reads either form. */
export function readTraining(input: FormatInput): FileContent {
  const whole = input.text();
  if (whole.length > trainingLimits.textLengthMax) {
    throw new EvidenceError("The record of training is too long.", {
      expected: `at most ${trainingLimits.textLengthMax} characters`,
    });
  }
  const runs = readingOf(input.name);
  for (const document of documentsOf(quoteBareNumbers(whole))) runs.add(document);
  return runs.content();
}

/** Where readers of other forms put the records that they find in a file of this name. */
export function readingOf(fileName: string): Runs {
  return new Runs(cutText(fileName.replace(/\.\w+$/, ""), nameLengthMax));
}

/** The runs of one file: each header begins one, and steps go to the one before them. */
export class Runs {
  readonly #name: string;
  readonly #contents: TrainingContent[] = [];
  #stepCount = 0;
  #skippedCount = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(document: unknown): void {
    if (Array.isArray(document)) {
      for (const item of document) this.add(item);
      return;
    }
    if (!isFields(document)) this.#skippedCount += 1;
    else if (isFields(document) && document["faultline"] === "training") this.#begin(document);
    else if (Array.isArray(document["log_history"])) this.#addList(document["log_history"], {});
    else if (Array.isArray(document["steps"])) this.#addList(document["steps"], document);
    else this.#addStep(document);
  }

  /** A step of the run of this name, which begins with its first step. */
  addTo(run: string, step: Fields): void {
    const known = this.#contents.findLast((content) => content.run === run);
    if (known === undefined) this.#begin({ run });
    const steps = (known ?? this.#contents.at(-1))?.steps;
    const read = stepOf(step);
    if (read === undefined || steps === undefined) this.#skippedCount += 1;
    else this.#push(steps, read);
  }

  content(): FileContent {
    const contents = this.#contents
      .filter(({ steps }) => steps.length > 0)
      .map((content) => ({
        ...content,
        steps: content.steps.toSorted((left, right) => left.step - right.step),
      }));
    if (contents.length === 0) {
      throw new EvidenceError("The record of training has no step.", {
        expected: "a record with the number of a step and what was measured at it",
      });
    }
    const skipped = this.#skippedCount;
    return {
      contents,
      notes:
        skipped === 0 ? [] : [`Records without the number of a step were left out: ${skipped}.`],
    };
  }

  #addList(items: readonly unknown[], header: Fields): void {
    this.#begin(header);
    for (const item of items) this.#addStep(item);
  }

  #begin(header: Fields): void {
    const version = header["version"];
    if (header["faultline"] === "training" && version !== telemetryVersion) {
      throw new EvidenceError("The telemetry is of another version.", {
        expected: `version ${telemetryVersion}`,
        where: "line 1, column 1",
      });
    }
    if (this.#contents.length === trainingLimits.runCountMax) throw tooMany("runs", "runCountMax");
    this.#contents.push(runOf(new NamedValues(header), this.#name));
  }

  #addStep(value: unknown): void {
    const step = stepOf(value);
    if (step === undefined || !isFields(value)) {
      this.#skippedCount += 1;
      return;
    }
    this.#push(this.#stepsFor(value), step);
  }

  #push(steps: TrainingStep[], step: TrainingStep): void {
    if (this.#stepCount === trainingLimits.stepCountMax) throw tooMany("steps", "stepCountMax");
    this.#stepCount += 1;
    steps.push(step);
  }

  /** Steps that name a rank of their own, as lines without headers do, go to the run of that rank. */
  #stepsFor(value: Fields): TrainingStep[] {
    const named = new NamedValues(value);
    const rank = named.count("rank processrank") ?? this.#contents.at(-1)?.rank ?? 0;
    const last = this.#contents.at(-1);
    const known =
      last?.rank === rank ? last : this.#contents.findLast((content) => content.rank === rank);
    if (known !== undefined) return known.steps;
    if (this.#contents.length === trainingLimits.runCountMax) throw tooMany("runs", "runCountMax");
    const content = { ...runOf(named, this.#name), rank };
    this.#contents.push(content);
    return content.steps;
  }
}

function runOf(named: NamedValues, name: string): TrainingContent {
  const role = named.text("role", 16);
  const parallelism = named.text("parallelism parallel", 64);
  const accumulation = named.count("accumulationsteps gradientaccumulationsteps");
  return present({
    kind: "training" as const,
    run: named.text("run runname runid", nameLengthMax) ?? name,
    role: role === "baseline" || role === "subject" ? role : undefined,
    framework: named.text("framework", 64),
    frameworkVersion: named.text("frameworkversion torchversion", 64),
    seed: named.integer("seed"),
    rank: named.count("rank processrank") ?? 0,
    worldSize: named.count("worldsize"),
    parallelism:
      parallelism === undefined
        ? undefined
        : /^(?:data|ddp|dp)$/i.test(parallelism)
          ? ("data" as const)
          : ("other" as const),
    accumulationSteps: accumulation === 0 ? undefined : accumulation,
    trainsInEvalMode: named.flag("trainsinevalmode"),
    steps: [],
  });
}

function tooMany(what: string, limit: "runCountMax" | "stepCountMax"): EvidenceError {
  const most = trainingLimits[limit];
  return new EvidenceError(`The file has too many ${what}.`, {
    expected: `at most ${most} ${what}`,
  });
}
