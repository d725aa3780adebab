/** A request that may be answered: who asks for what, since when, and until when. */

import type { IncomingMessage, ServerResponse } from "node:http";

import type { DeadlinePlan } from "../dispatch/deadline-plan.ts";
import type { Caller } from "./authenticate-caller.ts";
import type { Surface } from "./surface.ts";

export interface Arrival {
  readonly surface: Surface;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  /** Of the idempotency key that came with it. */
  readonly keyHash: string | undefined;
  readonly deadlines: DeadlinePlan;
  /** Monotonic times: since when it may have waited for this process, and when it was looked at. */
  readonly arrivedMs: number;
  readonly handledMs: number;
}
