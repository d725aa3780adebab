/** The formats of recorded outputs. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { readArray, startsAsArray } from "./numpy-array.ts";
import { readOutputs, recogniseOutputs } from "./read-outputs.ts";

export const outputFormats: readonly EvidenceFormat[] = [
  {
    name: "numeric-outputs",
    description: "outputs of a program as numbers, in Faultline's own format",
    recognise: ({ head }) => startsAsJson(head) && recogniseOutputs(head),
    read: readOutputs,
  },
  {
    name: "numpy-array",
    description: "one array of numbers, as NumPy saves it",
    recognise: ({ bytes }) => startsAsArray(bytes),
    read: readArray,
  },
];
