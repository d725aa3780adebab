/** One arrival on its way to an operation: a place, the body, and its place given back exactly once. */

import { PlatformError } from "@faultline/protocol";

import { enterKeyed } from "../idempotency/enter-keyed.ts";
import { keyedRequest } from "../idempotency/keyed-request.ts";
import type { QueueRequest } from "../dispatch/fair-queue.ts";
import type { ReplyRecorder } from "../streams/reply-recorder.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { Arrival } from "./arrival.ts";
import type { ListPlace } from "../live-list.ts";
import type { Guarded } from "./deadlines.ts";
import { Operation } from "./operation.ts";
import { readBody, refuseBody } from "./request-body.ts";
import { startRecord } from "./start-record.ts";

/** Who keeps count of the operations that are under way. */
export interface OpenOperations {
  opened(operation: Operation): ListPlace;
  closed(place: ListPlace): void;
}

export class IncomingCall implements Guarded {
  readonly #state: GatewayState;
  readonly #arrival: Arrival;
  readonly #open: OpenOperations;
  #operation: Operation | undefined;
  #openPlace: ListPlace | undefined;
  #admittedMs: number;
  guardPlace: ListPlace | undefined;
  #isReleased = false;
  #leave: () => void = () => {};
  #refuseBody: ((error: PlatformError) => void) | undefined;

  constructor(state: GatewayState, arrival: Arrival, open: OpenOperations) {
    this.#state = state;
    this.#arrival = arrival;
    this.#open = open;
    this.#admittedMs = arrival.handledMs;
  }

  /** Waits for a place, reads the body and begins; from here on it ends itself. */
  enter(): void {
    const { request, response } = this.#arrival;
    const { clock, admission, knowledge, deadlines } = this.#state;
    this.#leave = admission.enter(this.#place(), {
      // The body of a call that waits stays with its caller.
      admitted: () => {
        this.#admittedMs = clock.monotonicMs();
        this.#refuseBody = readBody(request, knowledge.settings.bodyBytesMax, {
          whole: (body) => {
            deadlines.remove(this);
            this.#onBody(body);
          },
          refused: this.#refused,
        });
        // Who sends slowly holds a place.
        deadlines.add(this);
      },
      refused: this.#refused,
    });
    response.on("close", () => {
      // A reply that is kept goes on without its caller, and releases its place itself.
      if (this.#operation?.onCallerClosed() !== false) this.#release();
    });
  }

  onTick(nowMs: number): void {
    const { deadlines } = this.#arrival;
    if (nowMs <= deadlines.endMs) return;
    this.#refuseBody?.(
      new PlatformError(
        "request_timeout",
        `The body of the request did not come within the total deadline of ${deadlines.timeouts.totalMs} ms.`,
      ),
    );
  }

  /** What it waits as; every call takes one place of the process. */
  #place(): QueueRequest {
    const { deadlines, handledMs, caller } = this.#arrival;
    const { tenantId, terms } = caller.key;
    const weight = this.#state.knowledge.settings.dispatch.tenantWeights[tenantId] ?? 1;
    const priority = terms.priority ?? "standard";
    const queueMsMax = deadlines.queueMs(handledMs, 0);
    return { tenant: tenantId, weight, priority, cost: 1, queueMsMax };
  }

  #onBody(body: Buffer): void {
    const { keyHash, surface, request, response, caller } = this.#arrival;
    if (keyHash === undefined) {
      this.#begin(body);
      return;
    }
    const { headers } = request;
    const { terms } = caller.key;
    const asked = { method: "POST", path: surface.path, headers, body, terms };
    const call = { tenantId: caller.key.tenantId, surface: surface.name, response };
    enterKeyed(
      this.#state.keyed,
      { ...call, request: keyedRequest(keyHash, asked) },
      {
        execute: (recorder) => {
          if (this.#isReleased) recorder.settle("released");
          else this.#begin(body, recorder);
        },
        answered: this.#release,
        refused: this.#refused,
      },
    );
  }

  #begin(body: Buffer, recorder?: ReplyRecorder): void {
    const { surface, request, response, caller, deadlines, arrivedMs, handledMs } = this.#arrival;
    const operation = new Operation(this.#state, {
      surface,
      key: caller.key,
      clientAddress: caller.clientAddress,
      headers: request.headers,
      response,
      record: startRecord(this.#state, this.#arrival),
      deadlines,
      waitedMs: this.#admittedMs - handledMs,
      arrivedMs,
      recorder,
      onReleased: this.#release,
    });
    this.#operation = operation;
    this.#openPlace = this.#open.opened(operation);
    operation.begin(body);
  }

  readonly #release = (): void => {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#state.deadlines.remove(this);
    if (this.#openPlace !== undefined) this.#open.closed(this.#openPlace);
    this.#leave();
  };

  readonly #refused = (error: PlatformError): void => {
    const { request, response, surface } = this.#arrival;
    this.#state.deadlines.remove(this);
    this.#state.metrics.countFailure(error.code);
    refuseBody({ request, response, clock: this.#state.clock, dialect: surface.dialect }, error);
  };
}
