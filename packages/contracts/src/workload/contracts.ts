/** The contracts about pods that have a node and do not run as they should. */

import type { Contract } from "../model/contract.ts";
import { autoscaler } from "./autoscaler.ts";
import { containerStaysUp } from "./container-stays-up.ts";
import { disruptionBudget } from "./disruption-budget.ts";
import { imagePulls } from "./image-pulls.ts";
import { memoryLimit } from "./memory-limit.ts";
import { nodeHealth } from "./node-health.ts";
import { permissions } from "./permissions.ts";
import { probes } from "./probes.ts";
import { references } from "./references.ts";
import { rollout } from "./rollout.ts";
import { volumeClaims } from "./volume-claims.ts";

export const workloadContracts: readonly Contract[] = [
  imagePulls,
  nodeHealth,
  references,
  volumeClaims,
  rollout,
  probes,
  containerStaysUp,
  memoryLimit,
  permissions,
  autoscaler,
  disruptionBudget,
];
