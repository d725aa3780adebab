/** Takes in requests for models: who asks, whether there is a place, the body; then an operation carries on. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { type OperationId, PlatformError } from "@faultline/protocol";

import type { GatewaySettings, SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { DeadlinePlan, readTimeoutHeaders, type Timeouts } from "../dispatch/deadline-plan.ts";
import type { QueueRequest } from "../dispatch/fair-queue.ts";
import { enterKeyed } from "../idempotency/enter-keyed.ts";
import { keyedRequest, readKeyHash } from "../idempotency/keyed-request.ts";
import type { ReplyRecorder } from "../streams/reply-recorder.ts";
import { authenticateCaller, type Caller } from "./authenticate-caller.ts";
import { toPlatformError } from "./dialect.ts";
import { Operation } from "./operation.ts";
import type { OperationRecord } from "./operation-record.ts";
import { checkBodyHead, readBody, refuseBody } from "./request-body.ts";
import type { Surface } from "./surface.ts";

export class ModelCalls {
  readonly #state: GatewayState;
  readonly #open = new Set<Operation>();
  readonly #idleWaiters: (() => void)[] = [];

  constructor(state: GatewayState) {
    this.#state = state;
  }

  handle(surface: Surface, request: IncomingMessage, response: ServerResponse): void {
    const { clock, loop } = this.#state;
    const handledMs = clock.monotonicMs();
    const arrivedMs = loop.arrivedMs(request.socket);
    const { settings } = this.#state.knowledge;
    const refused = (error: PlatformError): void => {
      this.#state.metrics.countFailure(error.code);
      refuseBody({ request, response, clock, dialect: surface.dialect }, error);
    };
    let caller: Caller;
    let keyHash: string | undefined;
    let deadlines: DeadlinePlan;
    try {
      caller = authenticateCaller(this.#state, request);
      checkBodyHead(request, settings.bodyBytesMax);
      keyHash = readKeyHash(request.headers, caller.key.tenantId);
      const asked = readTimeoutHeaders(request.headers);
      deadlines = new DeadlinePlan(arrivedMs, timeoutsOf(settings), [
        caller.key.terms.deadlines,
        asked,
      ]);
      if (this.#state.draining) {
        throw new PlatformError("shutting_down", "This process is draining and takes no new work.");
      }
    } catch (error) {
      refused(toPlatformError(error));
      return;
    }
    const { keyed, worker, peers } = this.#state;
    const owner = keyHash === undefined ? worker.index : keyed.ownerOf(keyHash);
    if (owner !== worker.index) {
      peers.forward({ owner, request, response, dialect: surface.dialect });
      return;
    }
    const { key, clientAddress } = caller;
    let operation: Operation | undefined;
    const begin = (body: Buffer, recorder?: ReplyRecorder): void => {
      const record = this.#startRecord(surface, key, request);
      record.loopWaitMs = handledMs - arrivedMs;
      record.startMs = clock.nowMs() - (clock.monotonicMs() - arrivedMs);
      const { headers } = request;
      operation = new Operation(this.#state, {
        surface,
        key,
        clientAddress,
        headers,
        response,
        record,
        deadlines,
        waitedMs: admittedMs - handledMs,
        arrivedMs,
        recorder,
        onReleased: release,
      });
      this.#open.add(operation);
      operation.begin(body);
    };
    const enter = (body: Buffer): void => {
      if (keyHash === undefined) {
        begin(body);
        return;
      }
      const asked = { method: "POST", path: surface.path, body };
      const call = { tenantId: key.tenantId, surface: surface.name, response };
      enterKeyed(
        keyed,
        { ...call, request: keyedRequest(keyHash, asked) },
        {
          execute: (recorder) => {
            if (isReleased) recorder.settle("released");
            else begin(body, recorder);
          },
          answered: () => release(),
          refused,
        },
      );
    };
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      if (operation !== undefined) this.#close(operation);
      leave();
    };
    let admittedMs = handledMs;
    const place = placeFor(key, settings, deadlines.queueMs(handledMs, 0));
    const leave = this.#state.admission.enter(place, {
      // The body of a call that waits stays with its caller.
      admitted: () => {
        admittedMs = clock.monotonicMs();
        readBody(request, settings.bodyBytesMax, { whole: enter, refused });
      },
      refused,
    });
    response.on("close", () => {
      // A reply that is kept goes on without its caller, and releases its place itself.
      if (operation?.onCallerClosed() !== false) release();
    });
  }

  /** Streams that have not ended. */
  get openStreamCount(): number {
    let count = 0;
    for (const operation of this.#open) if (operation.isOpenStream) count += 1;
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
    for (const operation of this.#open) operation.cut();
  }

  #close(operation: Operation): void {
    this.#open.delete(operation);
    if (this.#open.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #startRecord(surface: Surface, key: SnapshotKey, request: IncomingMessage): OperationRecord {
    const { ids, clock, traces } = this.#state;
    const traceparent = request.headers["traceparent"];
    return {
      // The id source makes operation ids here and nowhere else.
      operationId: ids.next() as OperationId,
      trace: traces.continue(typeof traceparent === "string" ? traceparent : undefined),
      tenantId: key.tenantId,
      keyId: key.id,
      startMs: clock.nowMs(),
      operation: surface.operation,
      stream: false,
      requestModel: "",
      durationMs: 0,
      loopWaitMs: 0,
      queueMs: 0,
      connectMs: undefined,
      outcome: "failed",
      bundleHash: undefined,
      bundleName: undefined,
      aliasName: undefined,
      refusedBy: undefined,
      redactedBy: [],
      translation: undefined,
      attemptCount: 0,
      attempts: [],
      errorType: undefined,
      errorMessage: undefined,
      status: undefined,
      provider: undefined,
      target: undefined,
      streamId: undefined,
      limit: undefined,
      simulated: false,
      serverAddress: undefined,
      serverPort: undefined,
      responseId: undefined,
      responseModel: undefined,
      finishReasons: [],
      usage: undefined,
      usageSource: undefined,
      costMicros: undefined,
      priceSource: undefined,
      cacheHit: false,
      firstChunkMs: undefined,
      firstTokenMs: undefined,
      interTokenMs: undefined,
      maxTokens: undefined,
      temperature: undefined,
      topP: undefined,
      parameters: undefined,
      systemInstructions: undefined,
      inputMessages: undefined,
      outputMessages: undefined,
    };
  }
}

function timeoutsOf(settings: GatewaySettings): Timeouts {
  const { queueMs, connectMs, firstTokenMs, stallMs, totalMs } = settings;
  return { queueMs, connectMs, firstTokenMs, interTokenMs: stallMs, totalMs };
}

/** What a call of this key waits as; every call takes one place of the process. */
function placeFor(
  { tenantId, terms }: SnapshotKey,
  { dispatch }: GatewaySettings,
  queueMsMax: number,
): QueueRequest {
  const weight = dispatch.tenantWeights[tenantId] ?? 1;
  return { tenant: tenantId, weight, priority: terms.priority ?? "standard", cost: 1, queueMsMax };
}
