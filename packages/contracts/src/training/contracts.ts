/** The contracts of training runs. */

import type { Contract } from "../model/contract.ts";
import { lossInputs } from "./loss-inputs.ts";

export const trainingContracts: readonly Contract[] = [lossInputs];
