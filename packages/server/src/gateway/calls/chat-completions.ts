/** `POST /v1/chat/completions`: admits a request, splices it, and hands it to a model call. */

import type { IncomingMessage, ServerResponse } from "node:http";

import type { Target } from "#catalog/index.ts";
import { type OperationId, PlatformError } from "@faultline/protocol";

import { authenticate } from "./authenticate.ts";
import { type ChatRequest, ChatRequestReader } from "./chat-request.ts";
import { captureMessages } from "./captured-text.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { ModelCall } from "./model-call.ts";
import { sendError, toPlatformError } from "./openai-error.ts";
import type { OperationRecord } from "./operation.ts";
import { checkBodyHead, readBody, refuseBody } from "./request-body.ts";
import type { SnapshotKey } from "../snapshot.ts";
import { applySplices } from "../wire/splice.ts";

export class ChatCompletions {
  readonly #state: GatewayState;
  readonly #reader = new ChatRequestReader();
  readonly #open = new Set<ModelCall>();

  constructor(state: GatewayState) {
    this.#state = state;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const arrivedMs = this.#state.clock.monotonicMs();
    const { settings, keys } = this.#state.knowledge;
    const refused = (error: PlatformError): void => this.#refuse(request, response, error);
    let key: SnapshotKey;
    try {
      key = authenticate(keys, request.headers.authorization, this.#state.clock);
      checkBodyHead(request, settings.bodyBytesMax);
      if (this.#state.draining) {
        throw new PlatformError("shutting_down", "This process is draining and takes no new work.");
      }
    } catch (error) {
      refused(toPlatformError(error));
      return;
    }
    const arrival: Arrival = { request, response, key, arrivedMs, call: undefined };
    const leave = this.#state.admission.enter({
      // The body of a call that waits stays with its caller.
      admitted: () =>
        readBody(request, settings.bodyBytesMax, {
          whole: (body) => this.#dispatch(arrival, body),
          refused,
        }),
      refused,
    });
    response.on("close", () => {
      const { call } = arrival;
      if (call !== undefined) {
        this.#open.delete(call);
        call.onCallerClosed();
      }
      leave();
    });
  }

  /** Cuts every call that is still under way. */
  cutAll(): void {
    for (const call of this.#open) call.cut();
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: PlatformError): void {
    this.#state.metrics.countFailure(error.code);
    refuseBody({ request, response, clock: this.#state.clock }, error);
  }

  #dispatch(arrival: Arrival, body: Buffer): void {
    const { response, key, arrivedMs } = arrival;
    const record = this.#startRecord(arrival);
    try {
      const chat = this.#reader.read(body);
      record.requestModel = chat.model;
      record.stream = chat.stream;
      record.maxTokens = chat.maxTokens;
      record.temperature = chat.temperature;
      record.topP = chat.topP;
      const target = this.#resolve(chat.model);
      const captures = this.#state.knowledge.capturingTenants.has(key.tenantId);
      if (captures && chat.messages !== undefined) {
        record.inputMessages = captureMessages(body, chat.messages);
      }
      this.#call(arrival, { body, chat, target, record, captures });
    } catch (error) {
      const failure = toPlatformError(error);
      record.outcome = "failed";
      record.errorType = failure.code;
      record.errorMessage = failure.message;
      record.status = failure.row.status;
      record.durationMs = this.#state.clock.monotonicMs() - arrivedMs;
      if (failure.code === "internal") {
        const { operationId } = record;
        this.#state.log("error", failure.message, { operationId, cause: String(failure.cause) });
      }
      this.#state.metrics.observe(record, undefined);
      this.#state.queue.push(record);
      sendError(response, failure, { "x-faultline-operation-id": record.operationId });
    }
  }

  #call(arrival: Arrival, { body, chat, target, record, captures }: CallPlan): void {
    const { request, response, arrivedMs } = arrival;
    const upstream = this.#state.upstreams.of(target.provider.name);
    if (upstream === undefined) {
      throw new PlatformError("model_not_found", `No provider serves "${chat.model}".`);
    }
    record.provider = target.provider.name;
    record.simulated = target.provider.kind === "simulated";
    record.serverAddress = upstream.address;
    record.serverPort = upstream.port;
    const splices = [chat.modelSplice(target.model.upstreamName)];
    if (chat.usageSplice !== undefined) splices.push(chat.usageSplice);
    const call = new ModelCall(this.#state, {
      target,
      record,
      response,
      arrivedMs,
      stripsUsage: chat.usageSplice !== undefined,
      captures,
    });
    arrival.call = call;
    this.#open.add(call);
    call.start(upstream.dispatcher, {
      origin: upstream.origin,
      path: `${upstream.basePath}/chat/completions`,
      method: "POST",
      headers: upstreamHeaders(request, target, record),
      body: applySplices(body, splices),
    });
  }

  #resolve(model: string): Target {
    const resolution = this.#state.knowledge.catalog.resolveModel(model);
    switch (resolution.kind) {
      case "found":
        return resolution.target;
      case "unknown":
        throw new PlatformError("model_not_found", `No configured provider serves "${model}".`, {
          where: "/model",
          hint:
            resolution.nearest === undefined
              ? "GET /v1/models lists the models."
              : `Did you mean "${resolution.nearest}"?`,
        });
      case "price-unknown":
        throw new PlatformError(
          "price_unknown",
          `The model "${resolution.model.id}" has no price, and without a price nothing is admitted.`,
          { where: "/model", hint: "The operator must give it prices, or `local: true`." },
        );
    }
  }

  #startRecord({ request, key }: Arrival): OperationRecord {
    const { ids, clock, traces } = this.#state;
    const traceparent = request.headers["traceparent"];
    return {
      // The id source makes operation ids here and nowhere else.
      operationId: ids.next() as OperationId,
      trace: traces.continue(typeof traceparent === "string" ? traceparent : undefined),
      tenantId: key.tenantId,
      keyId: key.id,
      startMs: clock.nowMs(),
      stream: false,
      requestModel: "",
      durationMs: 0,
      outcome: "failed",
      errorType: undefined,
      errorMessage: undefined,
      status: undefined,
      provider: undefined,
      simulated: false,
      serverAddress: undefined,
      serverPort: undefined,
      responseId: undefined,
      responseModel: undefined,
      finishReasons: [],
      usage: undefined,
      costMicros: undefined,
      priceSource: undefined,
      firstChunkMs: undefined,
      firstTokenMs: undefined,
      maxTokens: undefined,
      temperature: undefined,
      topP: undefined,
      inputMessages: undefined,
      outputMessages: undefined,
    };
  }
}

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly key: SnapshotKey;
  readonly arrivedMs: number;
  /** Present once it is on its way to a provider. */
  call: ModelCall | undefined;
}

interface CallPlan {
  readonly body: Buffer;
  readonly chat: ChatRequest;
  readonly target: Target;
  readonly record: OperationRecord;
  readonly captures: boolean;
}

/** A closed list: the caller's key and its other headers never reach a provider. */
function upstreamHeaders(
  request: IncomingMessage,
  target: Target,
  record: OperationRecord,
): string[] {
  const headers = [
    "content-type",
    "application/json",
    "accept",
    record.stream ? "text/event-stream" : "application/json",
    "accept-encoding",
    "identity",
    "user-agent",
    "faultline",
    "traceparent",
    record.trace.header,
  ];
  const { tracestate, "openai-beta": beta, "x-faultline-simulate": simulate } = request.headers;
  if (typeof tracestate === "string") headers.push("tracestate", tracestate);
  if (typeof beta === "string") headers.push("openai-beta", beta);
  if (target.provider.apiKey !== undefined) {
    headers.push("authorization", `Bearer ${target.provider.apiKey}`);
  }
  if (target.provider.kind === "simulated") {
    headers.push("x-faultline-provider", target.provider.name);
    if (typeof simulate === "string") headers.push("x-faultline-simulate", simulate);
  }
  return headers;
}
