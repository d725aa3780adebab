/** The format of lists of operators. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { readOperators, recogniseOperators } from "./read-operators.ts";

export const operatorFormats: readonly EvidenceFormat[] = [
  {
    name: "operator-list",
    description: "tensor operators with the shapes of their inputs and outputs, as JSON",
    recognise: ({ head }) => startsAsJson(head) && recogniseOperators(head),
    read: readOperators,
  },
];
