/** One request of a caller, from its body to its record: what it asks for, the attempts to answer it, how it ended. */

import type { ServerResponse } from "node:http";

import { costMicros, type Target } from "#catalog/index.ts";
import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { Attempt, type AttemptOwner, type AttemptResult } from "./attempt.ts";
import { captureMessages, CapturedText } from "./captured-text.ts";
import type { Guarded } from "./deadlines.ts";
import { toPlatformError } from "./dialect.ts";
import { settleUsage } from "./observed-usage.ts";
import type { OperationRecord } from "./operation-record.ts";
import { errorBodyFor, type ProviderError } from "./provider-error.ts";
import type { Relay } from "./relay.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { ReplyHead } from "./reply-head.ts";
import type { ReplySink } from "./reply-sink.ts";
import type { RequestFacts } from "./request-reader.ts";
import { sendError } from "./send-error.ts";
import type { Surface } from "./surface.ts";
import { asksForDurable } from "../streams/durable-request.ts";
import type { ReplyRecorder } from "../streams/reply-recorder.ts";
import { type CallerHeaders, planRequest, type RequestPlan } from "./upstream-request.ts";

export interface OperationParts {
  readonly surface: Surface;
  readonly key: SnapshotKey;
  readonly headers: CallerHeaders;
  readonly response: ServerResponse;
  readonly record: OperationRecord;
  /** Monotonic time at which the request arrived. */
  readonly arrivedMs: number;
  /** Called once a call that its caller may have left is over. */
  readonly onReleased: () => void;
}

/** What is known once the body was read. */
interface Asked {
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly target: Target;
}

export class Operation implements AttemptOwner, Guarded {
  readonly #state: GatewayState;
  readonly #parts: OperationParts;
  #sink: ReplySink;
  /** Keeps the reply for readers who come back; it goes on when its caller leaves. */
  #recorder: ReplyRecorder | undefined;
  #asked: Asked | undefined;
  #plan: RequestPlan | undefined;
  #attempt: Attempt | undefined;
  #reader: ReplyReader | undefined;
  #captured: CapturedText | undefined;
  #captures = false;
  /** A reply that is no error has begun: the provider has read the input. */
  #replyBegan = false;
  /** Monotonic time at which the record was written; the caller may still be taking the last bytes. */
  #endedMs: number | undefined;
  #cutsLater = false;

  constructor(state: GatewayState, parts: OperationParts) {
    this.#state = state;
    this.#parts = parts;
    this.#sink = parts.response;
  }

  get clock(): Clock {
    return this.#state.clock;
  }

  /** Reads the body and sends it on; from here on the operation ends itself, exactly once. */
  begin(body: Buffer): void {
    try {
      this.#asked = this.#read(body);
      this.#keep(this.#asked.facts);
      // The journal may have failed already.
      if (this.#endedMs !== undefined) return;
      this.#state.deadlines.add(this);
      this.#try(this.#asked);
    } catch (error) {
      const failure = toPlatformError(error);
      this.#logIfOurs(failure);
      this.#sendError(failure);
      this.#end("failed", { type: failure.code, message: failure.message });
    }
  }

  /** Ends it now, because the process must go. */
  cut(): void {
    this.fail(new PlatformError("shutting_down", "Faultline is shutting down."));
  }

  /** Ends it for a reason from outside. */
  fail(error: PlatformError): void {
    if (this.#endedMs !== undefined) return;
    if (this.#attempt !== undefined) this.#attempt.fail(error);
    else this.onEnd({ kind: "failed", error, committed: false, cutsLater: false });
  }

  /** The caller's side is done: everything is written, or it has left. Says no when the call goes on all the same. */
  onCallerClosed(): boolean {
    if (this.#recorder !== undefined && this.#endedMs === undefined) return false;
    this.#state.deadlines.remove(this);
    if (this.#endedMs !== undefined) return true;
    this.#attempt?.cancel("The caller left.");
    this.#end("cancelled", undefined);
    return true;
  }

  onTick(nowMs: number): void {
    if (this.#endedMs === undefined) this.#attempt?.onTick(nowMs);
    else this.#watchCaller(nowMs - this.#endedMs);
  }

  relayOf(
    head: ReplyHead,
    reply: { readonly status: number; readonly length: string | undefined },
  ): Relay {
    const { surface } = this.#parts;
    // Both are made before the attempt that asks for them.
    const reader = this.#reader as ReplyReader;
    const plan = this.#plan as RequestPlan;
    this.#replyBegan = true;
    const target = { sink: this.#sink, status: reply.status, head, reader, surface };
    return plan.relayOf(target, reply.length);
  }

  onProgress(nowMs: number, saysSomething: boolean): void {
    const { record, arrivedMs } = this.#parts;
    record.firstChunkMs ??= nowMs - arrivedMs;
    if (saysSomething) record.firstTokenMs ??= nowMs - arrivedMs;
  }

  onBackPressure(): void {
    this.#sink.once("drain", () => this.#attempt?.resume());
  }

  onEnd(result: AttemptResult): void {
    switch (result.kind) {
      case "completed":
        this.#endCompleted();
        return;
      case "refused":
        this.#passOn(result.error);
        return;
      case "failed":
        this.#logIfOurs(result.error);
        this.#cutsLater = result.cutsLater;
        if (!result.committed) this.#sendError(result.error);
        this.#end(result.error.code === "stream_cancelled" ? "cancelled" : "failed", {
          type: result.error.code,
          // What the provider itself said of its failure tells more than that the stream broke afterwards.
          message: this.#quote(this.#reader?.errorMessage) ?? result.error.message,
        });
    }
  }

  #read(body: Buffer): Asked {
    const { record, surface, key } = this.#parts;
    const facts = this.#state.requestReaders.of(surface).read(body);
    record.requestModel = facts.model;
    record.stream = facts.stream;
    record.maxTokens = facts.maxTokens;
    record.temperature = facts.temperature;
    record.topP = facts.topP;
    const target = this.#resolve(facts.model);
    this.#captures = this.#state.knowledge.capturingTenants.has(key.tenantId);
    const { messages } = facts.places;
    if (this.#captures && messages !== undefined) {
      record.inputMessages = captureMessages(body, messages);
    }
    return { body, facts, target };
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

  #try({ body, facts, target }: Asked): void {
    const { record, surface, headers, arrivedMs } = this.#parts;
    const upstream = this.#state.upstreams.of(target.provider.name);
    if (upstream === undefined) {
      throw new PlatformError("model_not_found", `No provider serves "${facts.model}".`);
    }
    record.provider = target.provider.name;
    record.simulated = target.provider.kind === "simulated";
    record.serverAddress = upstream.address;
    record.serverPort = upstream.port;
    const plan = planRequest({ surface, body, facts, target, upstream, headers, record });
    this.#plan = plan;
    this.#reader = this.#takeReader(plan.surface);
    const { settings } = this.#state.knowledge;
    this.#attempt = new Attempt(
      {
        target,
        dispatcher: upstream.dispatcher,
        request: plan.request,
        stream: facts.stream,
        reader: this.#reader,
        deadlines: {
          connectMs: settings.connectMs,
          firstTokenMs: settings.firstTokenMs,
          stallMs: settings.stallMs,
          totalMs: settings.totalMs,
          totalAtMs: arrivedMs + settings.totalMs,
        },
        ownHeaders: { ...this.#ownHeaders(), ...plan.ownHeaders },
      },
      this,
    );
    const attempt = this.#attempt;
    if (this.#recorder === undefined) attempt.start();
    else this.#recorder.beforeDispatch(() => this.#endedMs === undefined && attempt.start());
  }

  /** Begins to keep the reply, when the caller asks for a durable stream. Throws when there is no room for it. */
  #keep({ stream }: RequestFacts): void {
    const { surface, key, headers, response } = this.#parts;
    if (!stream || !asksForDurable(headers)) return;
    const { streams } = this.#state;
    const { tenantId } = key;
    this.#recorder = streams.record({ tenantId, surface: surface.name, work: this });
    this.#sink = this.#recorder;
    const place = { response, from: 0, isLive: true, headers: {} };
    streams.follow(this.#recorder.reply, place);
  }

  /** A reader that captures has larger buffers, and is rare. */
  #takeReader({ reply }: Surface): ReplyReader {
    if (!this.#captures) return this.#state.readers.take(reply);
    this.#captured = new CapturedText();
    return new ReplyReader(reply, this.#captured);
  }

  #ownHeaders(): Record<string, string> {
    const { operationId } = this.#parts.record;
    const headers: Record<string, string> = { "x-faultline-operation-id": operationId };
    if (this.#asked !== undefined) headers["x-faultline-target"] = this.#asked.target.model.id;
    return headers;
  }

  /** The provider's own error, in the caller's dialect. */
  #passOn(error: ProviderError): void {
    const { dialect } = this.#parts.surface;
    const provider = this.#attempt?.target.provider.name ?? "";
    const body = this.#plan?.errorBody?.(error) ?? errorBodyFor(error, { dialect, provider });
    const form = { "content-type": "application/json", "content-length": body.length };
    this.#sink.writeHead(error.status, { ...error.head, ...form });
    this.#sink.end(body);
    this.#end("failed", {
      type: `provider_status_${error.status}`,
      message: this.#quote(error.message) ?? `The provider answered with status ${error.status}.`,
    });
  }

  #endCompleted(): void {
    const reader = this.#reader;
    if (reader?.errorMessage === undefined) {
      this.#end("completed", undefined);
      return;
    }
    const generic = "The provider reported an error in its stream.";
    const message = this.#quote(reader.errorMessage) ?? generic;
    this.#end("failed", { type: "provider_stream_cut", message });
  }

  /** What a provider says of an error may quote the prompt, so that only tenants who ask for content have it in spans. */
  #quote(message: string | undefined): string | undefined {
    return this.#captures ? message : undefined;
  }

  #sendError(error: PlatformError): void {
    const { record, surface } = this.#parts;
    const { operationId } = record;
    const headers = this.#ownHeaders();
    sendError(this.#sink, error, { dialect: surface.dialect, operationId, headers });
  }

  #logIfOurs(error: PlatformError): void {
    if (error.code !== "internal") return;
    const { operationId } = this.#parts.record;
    this.#state.log("error", error.message, { operationId, cause: String(error.cause) });
  }

  /** After the end, the caller may still be taking the last bytes. */
  #watchCaller(sinceEndMs: number): void {
    const { response } = this.#parts;
    if (sinceEndMs > gatewayLimits.callerDrainMs) {
      response.destroy();
    } else if (this.#cutsLater && sinceEndMs > gatewayLimits.cutDelayMs) {
      // Without the last chunk of the transfer encoding, so that nobody takes this for a whole reply.
      this.#cutsLater = false;
      if (response.socket === null) response.destroy();
      else response.socket.destroySoon();
    }
  }

  /** A reply that is kept has its own readers to look after. */
  #release(): void {
    if (this.#recorder === undefined) return;
    this.#recorder.settle("kept");
    this.#state.deadlines.remove(this);
    this.#parts.onReleased();
  }

  /** Writes down how it ended. The caller may still be taking the last bytes. */
  #end(
    outcome: OperationRecord["outcome"],
    failure:
      | { readonly type: NonNullable<OperationRecord["errorType"]>; readonly message: string }
      | undefined,
  ): void {
    const { record, arrivedMs } = this.#parts;
    const target = this.#asked?.target;
    const reader = this.#reader;
    this.#endedMs = this.#state.clock.monotonicMs();
    record.durationMs = this.#endedMs - arrivedMs;
    record.outcome = outcome;
    record.errorType = failure?.type;
    record.errorMessage = failure?.message;
    record.status = this.#sink.headersSent ? this.#sink.statusCode : undefined;
    if (reader !== undefined && target !== undefined) this.#noteReply(reader, target);
    this.#state.metrics.observe(record, target?.model.id);
    this.#state.queue.push(record);
    this.#release();
  }

  /** What the model was given to read, as JSON writes it. */
  #inputBytes(): number {
    const { messages, system, tools } = this.#asked?.facts.places ?? {};
    return [messages, system, tools].reduce(
      (sum, place) => sum + (place === undefined ? 0 : place.end - place.start),
      0,
    );
  }

  #noteReply(reader: ReplyReader, target: Target): void {
    const { record } = this.#parts;
    record.responseId = reader.responseId;
    record.responseModel = reader.responseModel;
    record.finishReasons = reader.finishReasons;
    record.outputMessages = this.#captured?.toMessages(reader.finishReasons);
    if (this.#replyBegan && record.operation !== "count_tokens") {
      const inputBytes = this.#inputBytes();
      const isComplete = record.outcome === "completed";
      const settled = settleUsage(reader, { inputBytes, isComplete });
      record.usage = settled.usage;
      record.usageSource = settled.source;
      record.costMicros = costMicros(target.price, settled.usage);
      record.priceSource = target.price.source;
    }
    this.#reader = undefined;
    if (this.#captured === undefined) this.#state.readers.giveBack(reader);
  }
}
