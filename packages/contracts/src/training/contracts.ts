/** The contracts of training runs. */

import type { Contract } from "../model/contract.ts";
import { finiteGradients } from "./gradients.ts";
import { learnedInvariants } from "./learned-invariants.ts";
import { lossInputs } from "./loss-inputs.ts";
import { progress } from "./progress.ts";
import { replicas } from "./replicas.ts";
import { stepOrder } from "./step-order.ts";

export const trainingContracts: readonly Contract[] = [
  lossInputs,
  stepOrder,
  finiteGradients,
  progress,
  replicas,
  learnedInvariants,
];
