/** The contracts of populations: what sets the bad apart from the good, and what changed before it. */

import type { Contract } from "../model/contract.ts";
import { culpritChange } from "./culprit-change.ts";
import { firstDeviation } from "./first-deviation.ts";

export const populationContracts: readonly Contract[] = [firstDeviation, culpritChange];
