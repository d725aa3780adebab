/** Reads training runs from lists of values: TensorBoard's scalars, the history of Keras, and what trainers print. */

import { isFields } from "../../model/fields.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { quoteBareNumbers } from "./bare-numbers.ts";
import { trainingLimits } from "./limits.ts";
import { readingOf } from "./read-training.ts";

const historyName = "(?:val_|train_|eval_)?(?:loss|grad_norm)";
const history = new RegExp(
  String.raw`^\s*\{\s*(?:"\w{1,64}"\s*:\s*\[[^\]{}"]{0,60000}\]\s*,\s*)*"${historyName}"\s*:\s*\[\s*-?[\d.NI]`,
);
const scalar = /^\s*\[\s*\[\s*\d{9,}(?:\.\d+)?\s*,\s*\d+\s*,\s*-?[\d.NI]/;
const printed = /(?:^|[\r\n])[^\n{]{0,256}\{'(?:train_|eval_)?loss': (?:'?-?[\d.]+|'?nan|'?inf)/;

/** Whether a text begins as values of a loss under each other. */
export function recogniseScalarLists(head: string, fileName: string): boolean {
  return history.test(head) || (scalar.test(head) && /loss|grad/i.test(fileName));
}

/** Whether a text begins with what a trainer of transformers prints. */
export function recognisePrintedSteps(head: string): boolean {
  return printed.test(head);
}

/** Reads either list. */
export function readScalarLists(input: FormatInput): FileContent {
  const document = parseJson(quoteBareNumbers(input.text()));
  const reading = readingOf(input.name);
  if (Array.isArray(document)) {
    const isEval = /val|eval|test/i.test(input.name);
    const name = /grad/i.test(input.name) ? "grad_norm" : isEval ? "eval_loss" : "loss";
    for (const item of document) {
      const [, step, value]: readonly unknown[] = Array.isArray(item) ? item : [];
      reading.add({ step, [name]: value });
    }
    return reading.content();
  }
  const columns = Object.entries(isFields(document) ? document : {}).flatMap(([name, values]) =>
    Array.isArray(values) ? [{ name, values: values as readonly unknown[] }] : [],
  );
  const length = Math.max(0, ...columns.map(({ values }) => values.length));
  for (let step = 0; step < Math.min(length, trainingLimits.stepCountMax); step += 1) {
    const measured = columns.map(({ name, values }) => [name, values[step]] as const);
    reading.add({ ...Object.fromEntries(measured), step });
  }
  return reading.content();
}

/** Reads the dictionaries of Python in a text; one without a number of its own is the next step. */
export function readPrintedSteps(input: FormatInput): FileContent {
  const reading = readingOf(input.name);
  let step = 0;
  for (const [text] of input
    .text()
    .matchAll(/\{'(?:train_|eval_)?[a-z_]{1,32}': [^{}\r\n]{1,4000}\}/g)) {
    const fields: Record<string, string | number> = {};
    for (const [, name = "", value = ""] of text.matchAll(
      /'([\w/]{1,64})': '?(-?[\w.+-]{1,32})'?/g,
    )) {
      const number = Number(value);
      fields[name] = Number.isFinite(number) ? number : value;
    }
    const isStep = Object.keys(fields).some((name) => /loss/.test(name));
    if (!isStep) continue;
    const { epoch: _epoch, ...measured } = fields;
    reading.add({ step, ...measured });
    step += 1;
  }
  return reading.content();
}
