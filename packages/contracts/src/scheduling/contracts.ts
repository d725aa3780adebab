/** The contracts about where pods may run. */

import type { Contract } from "../model/contract.ts";
import { podFitsNode } from "./pod-fits-node.ts";
import { quotaAdmitsPod } from "./quota-admits-pod.ts";

export const schedulingContracts: readonly Contract[] = [podFitsNode, quotaAdmitsPod];
