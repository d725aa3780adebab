/** The contracts of lifetimes. */

import type { Contract } from "../model/contract.ts";
import { goroutinesEnd } from "./goroutines-end.ts";
import { latencyDrift } from "./latency-drift.ts";
import { resourcesReleased } from "./resources-released.ts";

export const lifetimeContracts: readonly Contract[] = [
  goroutinesEnd,
  latencyDrift,
  resourcesReleased,
];
