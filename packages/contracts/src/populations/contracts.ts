/** The contracts of populations: what sets the bad apart from the good, and what changed before it. */

import type { Contract } from "../model/contract.ts";
import { culpritChange } from "./culprit-change.ts";
import { firstDeviation } from "./first-deviation.ts";
import { lostUpdate } from "./lost-update.ts";
import { separatingAttribute } from "./separating-attribute.ts";

export const populationContracts: readonly Contract[] = [
  separatingAttribute,
  firstDeviation,
  culpritChange,
  lostUpdate,
];
