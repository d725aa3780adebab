/** The message of an operator that refused its inputs, by itself, as people paste it: a log of one entry. */

import { cutText } from "../../text/cut-text.ts";
import type { EvidenceFormat, FileContent, FormatInput } from "../format.ts";
import { refusalIn } from "./refusals.ts";

/** What is longer is a log, and read as one where it looks like one. */
const textLengthMax = 16_384;

/** Tried last: what is a log by other marks is read as such. */
export const refusalFormats: readonly EvidenceFormat[] = [
  {
    name: "operator-refusal",
    description: "the message of a tensor operator that refused its inputs",
    recognise: ({ head }) => head !== undefined && recogniseRefusal(head),
    read: readRefusal,
  },
];

function recogniseRefusal(head: string): boolean {
  if (head.length > textLengthMax) return false;
  const [first = ""] = head.trimStart().split("\n", 1);
  return (
    /(?:Error|Exception|Warning)\b|Assertion .*failed|\[E:onnxruntime/.test(first) &&
    refusalIn(head) !== undefined
  );
}

function readRefusal(input: FormatInput): FileContent {
  const text = cutText(input.text().trim(), textLengthMax);
  return { contents: [{ kind: "logs", lines: [{ severity: "error", text }] }], notes: [] };
}
