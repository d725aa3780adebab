/** Takes in requests for models: who asks, whether there is a place, the body; then an operation carries on. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { PlatformError } from "@faultline/protocol";

import type { GatewaySettings } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { DeadlinePlan, readTimeoutHeaders, type Timeouts } from "../dispatch/deadline-plan.ts";
import { readKeyHash } from "../idempotency/keyed-request.ts";
import type { Arrival } from "./arrival.ts";
import { authenticateCaller } from "./authenticate-caller.ts";
import { toPlatformError } from "./dialect.ts";
import { type ListPlace, LiveList } from "../live-list.ts";
import { IncomingCall, type OpenOperations } from "./incoming-call.ts";
import type { Operation } from "./operation.ts";
import { checkBodyHead, refuseBody } from "./request-body.ts";
import type { Surface } from "./surface.ts";

export class ModelCalls implements OpenOperations {
  readonly #state: GatewayState;
  readonly #open = new LiveList<Operation>();
  readonly #idleWaiters: (() => void)[] = [];

  constructor(state: GatewayState) {
    this.#state = state;
  }

  handle(surface: Surface, request: IncomingMessage, response: ServerResponse): void {
    let arrival: Arrival;
    try {
      arrival = this.#read(surface, request, response);
    } catch (error) {
      const { clock, metrics } = this.#state;
      const failure = toPlatformError(error);
      metrics.countFailure(failure.code);
      refuseBody({ request, response, clock, dialect: surface.dialect }, failure);
      return;
    }
    const { keyed, worker, peers } = this.#state;
    const { keyHash } = arrival;
    const owner = keyHash === undefined ? worker.index : keyed.ownerOf(keyHash);
    if (owner === worker.index) new IncomingCall(this.#state, arrival, this).enter();
    else peers.forward({ owner, request, response, dialect: surface.dialect });
  }

  opened(operation: Operation): ListPlace {
    return this.#open.add(operation);
  }

  closed(place: ListPlace): void {
    this.#open.remove(place);
    if (this.#open.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Reads what the head of a request says. Throws where it is refused before its body. */
  #read(surface: Surface, request: IncomingMessage, response: ServerResponse): Arrival {
    const { clock, loop, draining, knowledge } = this.#state;
    const { settings } = knowledge;
    const handledMs = clock.monotonicMs();
    const arrivedMs = loop.arrivedMs(request.socket);
    const caller = authenticateCaller(this.#state, request);
    checkBodyHead(request, settings.bodyBytesMax);
    const keyHash = readKeyHash(request.headers, caller.key.tenantId);
    const layers = [caller.key.terms.deadlines, readTimeoutHeaders(request.headers)];
    const deadlines = new DeadlinePlan(arrivedMs, timeoutsOf(settings), layers);
    if (draining) {
      throw new PlatformError("shutting_down", "This process is draining and takes no new work.");
    }
    return { surface, request, response, caller, keyHash, deadlines, arrivedMs, handledMs };
  }

  /** Streams that have not ended. */
  get openStreamCount(): number {
    let count = 0;
    this.#open.each((operation) => {
      if (operation.isOpenStream) count += 1;
    });
    return count;
  }

  /** Resolves when no call is under way. */
  async whenIdle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve);
    });
  }

  /** Cuts every call that is still under way. */
  cutAll(): void {
    this.#open.each((operation) => operation.cut());
  }
}

function timeoutsOf(settings: GatewaySettings): Timeouts {
  const { queueMs, connectMs, firstTokenMs, stallMs, totalMs } = settings;
  return { queueMs, connectMs, firstTokenMs, interTokenMs: stallMs, totalMs };
}
