/** The formats of training runs. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
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
];
