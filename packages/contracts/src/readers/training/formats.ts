/** The formats of training runs. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import {
  readPrintedSteps,
  readScalarLists,
  recognisePrintedSteps,
  recogniseScalarLists,
} from "./scalar-lists.ts";
import { readTrainingTable, recogniseTrainingTable } from "./training-table.ts";
import { readCallTrace, recogniseCallTrace } from "./call-trace.ts";
import { readTraining, recogniseTelemetry, recogniseTrainingSteps } from "./read-training.ts";

export const trainingFormats: readonly EvidenceFormat[] = [
  {
    name: "training-telemetry",
    description: "records of a training run in Faultline's own format",
    recognise: ({ head }) => head !== undefined && recogniseTelemetry(head),
    read: readTraining,
  },
  {
    name: "training-steps",
    description: "steps of a training run as records of JSON, or the state of a trainer",
    recognise: ({ head }) => startsAsJson(head) && recogniseTrainingSteps(head),
    read: readTraining,
  },
  {
    name: "training-csv",
    description:
      "steps of a training run as a table: Lightning, Keras, Weights & Biases, TensorBoard",
    recognise: ({ head, name }) => head !== undefined && recogniseTrainingTable(head, name),
    read: readTrainingTable,
  },
  {
    name: "training-scalars",
    description: "values of a loss as lists: TensorBoard's scalars, the history of Keras",
    recognise: ({ head, name }) => startsAsJson(head) && recogniseScalarLists(head, name),
    read: readScalarLists,
  },
  {
    name: "training-printed",
    description: "dictionaries of Python that a trainer printed",
    recognise: ({ head }) => head !== undefined && recognisePrintedSteps(head),
    read: readPrintedSteps,
  },
  {
    name: "training-calls",
    description:
      "calls of PyTorch and states of variables of a training run, as TrainCheck traces them",
    recognise: ({ head }) => startsAsJson(head) && recogniseCallTrace(head),
    read: readCallTrace,
  },
];
