/** A file that holds one moment and nothing else: when a fault was injected, or an incident began. */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { timeOfText } from "../time-text.ts";

/** Characters that a moment has at most, with blanks around it. */
const lengthMax = 64;

/** Whether a text is one moment: a date, or digits since 1970. */
export function recogniseMoment({ head, bytes }: FormatInput): boolean {
  return bytes.length <= lengthMax && head !== undefined && momentIn(head) !== undefined;
}

/** Reads the moment as that at which an incident began. */
export function readMoment(input: FormatInput): FileContent {
  const beganMicros = momentIn(input.text());
  if (beganMicros === undefined) {
    throw new EvidenceError("The file holds no moment.", {
      expected: "a date, or digits since 1970",
      where: "line 1, column 1",
    });
  }
  return {
    contents: [{ kind: "incident", beganMicros, alerts: [], statuses: [], patterns: [] }],
    notes: ["The moment that the file holds was taken as that at which an incident began."],
  };
}

function momentIn(text: string): number | undefined {
  const written = text.replace(/^\uFEFF/, "").trim();
  return /^\d{4}-\d\d-\d\d|^\d{9,19}(?:\.\d{1,9})?$/.test(written)
    ? timeOfText(written)
    : undefined;
}
