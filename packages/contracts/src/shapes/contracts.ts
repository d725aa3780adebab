/** The contracts of shapes. */

import type { Contract } from "../model/contract.ts";
import { equalOutputs } from "./equal-outputs.ts";
import { operatorsFit } from "./operators-fit.ts";

export const shapeContracts: readonly Contract[] = [operatorsFit, equalOutputs];
