/** The contracts of lifetimes. */

import type { Contract } from "../model/contract.ts";
import { callsTimeLimited } from "./calls-time-limited.ts";
import { connectionsReused } from "./connections-reused.ts";
import { gcPressure } from "./gc-pressure.ts";
import { goroutinesEnd } from "./goroutines-end.ts";
import { heapBounded } from "./heap-bounded.ts";
import { latencyDrift } from "./latency-drift.ts";
import { profileDifference } from "./profile-difference.ts";
import { resourcesReleased } from "./resources-released.ts";

export const lifetimeContracts: readonly Contract[] = [
  callsTimeLimited,
  connectionsReused,
  gcPressure,
  goroutinesEnd,
  heapBounded,
  latencyDrift,
  profileDifference,
  resourcesReleased,
];
