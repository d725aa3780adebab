/** The contracts about pods that have a node and do not run as they should. */

import type { Contract } from "../model/contract.ts";
import { autoscaler } from "./autoscaler.ts";
import { disruptionBudget } from "./disruption-budget.ts";

export const workloadContracts: readonly Contract[] = [autoscaler, disruptionBudget];
