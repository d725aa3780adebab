/** What Keras says of a model, which tells of nothing that could contradict itself: why it is not read. */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";

const summaryHead = /^[\s\S]{0,400}?Model: "[^"\n]{1,200}"\s*\n[\s\S]{0,400}?Layer \(type\)/;
const configHead = /^\s*\{[\s\S]{0,2000}?"class_name"\s*:\s*"(?:Functional|Sequential|Model)"/;
const configMark = /"(?:keras_version|module"\s*:\s*"keras)|"registered_name"|"input_layers"/;

/** A log of training prints the summary first, and goes on. */
const trainingLine = /^Epoch \d{1,6}\/\d{1,6}/m;

/** Whether a text is what `model.summary()` prints, or the `config.json` of a saved model. */
export function recogniseKeras(head: string): boolean {
  if (summaryHead.test(head)) return !trainingLine.test(head);
  return configHead.test(head) && configMark.test(head);
}

/** Throws what to do instead: neither form says what shapes the operators were given. */
export function refuseKeras(): FileContent {
  throw new EvidenceError(
    "This describes the layers of a Keras model: shapes that Keras made itself, in which nothing can contradict.",
    {
      expected:
        "the operators with what they were given: the model as ONNX (tf2onnx, or model.export with format onnx), or the message of the error that Keras raised",
      where: "line 1, column 1",
      // Beside other files it is no evidence, and nothing is wrong with it.
      isUnknownForm: true,
    },
  );
}
