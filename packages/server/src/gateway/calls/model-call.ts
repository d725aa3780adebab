/** One model call from dispatch to its record: deadlines, cancellation, the relay of the reply, how it ended. */

import type { IncomingHttpHeaders, ServerResponse } from "node:http";

import type { Target } from "#catalog/index.ts";
import { type ErrorCode, PlatformError } from "@faultline/protocol";
import type { Dispatcher } from "undici";

import { CapturedText } from "./captured-text.ts";
import type { Guarded } from "./deadlines.ts";
import { ErrorRelay } from "./error-relay.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { gatewayLimits } from "../limits.ts";
import { sendError, toPlatformError } from "./openai-error.ts";
import { type OperationRecord, priceUsage } from "./operation.ts";
import { PlainRelay } from "./plain-relay.ts";
import type { Relay } from "./relay.ts";
import { replyHead } from "./reply-head.ts";
import { ReplyReader } from "./reply-reader.ts";
import { StreamRelay } from "./stream-relay.ts";
import { toProviderError } from "./transport-error.ts";

export interface ModelCallOptions {
  readonly target: Target;
  readonly record: OperationRecord;
  readonly response: ServerResponse;
  /** Monotonic time at which the request arrived. */
  readonly arrivedMs: number;
  readonly stripsUsage: boolean;
  readonly captures: boolean;
}

type Phase = "connecting" | "waiting" | "replying" | "ended";

export class ModelCall implements Dispatcher.DispatchHandler, Guarded {
  readonly #state: GatewayState;
  readonly #options: ModelCallOptions;
  readonly #reader: ReplyReader;
  readonly #captured: CapturedText | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #relay: Relay | undefined;
  #phase: Phase = "connecting";
  #dispatchedMs = 0;
  #progressMs = 0;
  #progress = 0;
  #endedMs = 0;
  /** Since when the caller does not take more; its slowness is no stall of the provider. */
  #waitsForCaller = false;
  #upstreamStatus = 0;
  #cutsLater = false;

  constructor(state: GatewayState, options: ModelCallOptions) {
    this.#state = state;
    this.#options = options;
    this.#captured = options.captures ? new CapturedText() : undefined;
    // A reader that captures has larger buffers, and is rare.
    this.#reader =
      this.#captured === undefined ? state.readers.take() : new ReplyReader(this.#captured);
  }

  /** Sends the request; from here on the call ends itself, exactly once. */
  start(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): void {
    this.#dispatchedMs = this.#state.clock.monotonicMs();
    this.#progressMs = this.#dispatchedMs;
    this.#state.deadlines.add(this);
    dispatcher.dispatch(request, this);
  }

  /** Ends the call now, because the process must go. */
  cut(): void {
    this.#fail(new PlatformError("shutting_down", "Faultline is shutting down."));
  }

  onTick(nowMs: number): void {
    const { settings } = this.#state.knowledge;
    if (this.#phase === "ended") {
      this.#watchCaller(nowMs - this.#endedMs);
      return;
    }
    if (nowMs - this.#options.arrivedMs > settings.totalMs) {
      this.#failDeadline("total", settings.totalMs);
    } else if (this.#phase === "connecting") {
      if (nowMs - this.#dispatchedMs > settings.connectMs) {
        this.#failDeadline("connect", settings.connectMs);
      }
    } else if (this.#relay?.complete === true) {
      if (nowMs - this.#progressMs > gatewayLimits.afterDoneMs) this.#failDeadline("total", 0);
    } else if (this.#waitsForCaller) {
      this.#progressMs = nowMs;
    } else if (this.#relay?.deltaSeen !== true) {
      // A plain reply comes whole, so that only the total deadline bounds its first byte.
      const awaitsToken = this.#options.record.stream && this.#upstreamStatus < 400;
      if (awaitsToken && nowMs - this.#dispatchedMs > settings.firstTokenMs) {
        this.#failDeadline("first token", settings.firstTokenMs);
      } else if (!awaitsToken && this.#phase === "replying") {
        this.#checkStall(nowMs, settings.stallMs);
      }
    } else {
      this.#checkStall(nowMs, settings.stallMs);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#phase === "ended") controller.abort(new Error("The call has ended."));
    else this.#phase = "waiting";
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (this.#phase === "ended" || status < 200) return;
    this.#phase = "replying";
    this.#upstreamStatus = status;
    this.#progressMs = this.#state.clock.monotonicMs();
    try {
      this.#relay = this.#chooseRelay(status, headers);
    } catch (error) {
      this.#fail(toPlatformError(error));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    const relay = this.#relay;
    if (this.#phase === "ended" || relay === undefined) return;
    try {
      const flowing = relay.write(part);
      this.#noteProgress(relay);
      if (!flowing) {
        this.#waitsForCaller = true;
        this.#options.response.once("drain", () => this.#onCallerDrained());
        controller.pause();
      }
    } catch (error) {
      this.#noteProgress(relay);
      this.#fail(toPlatformError(error));
    }
  }

  onResponseEnd(): void {
    const relay = this.#relay;
    if (this.#phase === "ended" || relay === undefined) return;
    try {
      relay.end();
    } catch (error) {
      this.#fail(toPlatformError(error));
      return;
    }
    if (relay instanceof ErrorRelay) {
      const generic = `The provider answered with status ${this.#upstreamStatus}.`;
      this.#end(
        "failed",
        `provider_status_${this.#upstreamStatus}`,
        this.#quote(relay.message) ?? generic,
      );
    } else if (this.#reader.errorMessage !== undefined) {
      const generic = "The provider reported an error in its stream.";
      this.#end("failed", "provider_stream_cut", this.#quote(this.#reader.errorMessage) ?? generic);
    } else {
      this.#end("completed", undefined, undefined);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#phase === "ended") return;
    this.#fail(
      toProviderError(error, {
        provider: this.#options.target.provider.name,
        replying: this.#relay !== undefined,
        connecting: this.#phase === "connecting",
      }),
    );
  }

  #chooseRelay(status: number, headers: IncomingHttpHeaders): Relay {
    const { target, record, response, stripsUsage } = this.#options;
    const { name } = target.provider;
    if (status === 401 || status === 403) {
      throw new PlatformError(
        "provider_unauthorized",
        `Provider "${name}" refused the credential that Faultline has for it (status ${status}).`,
        { hint: "The operator must check the key in the variable that the configuration names." },
      );
    }
    const own = {
      "x-faultline-operation-id": record.operationId,
      "x-faultline-target": target.model.id,
    };
    const head = replyHead(headers, own);
    const relayTarget = { response, status, head, reader: this.#reader };
    if (status >= 400) return new ErrorRelay(relayTarget, target.provider);
    const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    const expected = record.stream ? "text/event-stream" : "application/json";
    if (status >= 300 || type !== expected) {
      throw new PlatformError(
        "provider_response_invalid",
        `Provider "${name}" answered with status ${status} and content type "${type}" instead of "${expected}".`,
      );
    }
    return record.stream
      ? new StreamRelay(relayTarget, stripsUsage)
      : new PlainRelay(relayTarget, headers["content-length"]);
  }

  #noteProgress(relay: Relay): void {
    if (relay.progress === this.#progress) return;
    this.#progress = relay.progress;
    const nowMs = this.#state.clock.monotonicMs();
    this.#progressMs = nowMs;
    const { record, arrivedMs } = this.#options;
    record.firstChunkMs ??= nowMs - arrivedMs;
    if (relay.deltaSeen) record.firstTokenMs ??= nowMs - arrivedMs;
  }

  /** After the end of the call, the caller may still be taking the last bytes. */
  #watchCaller(sinceEndMs: number): void {
    const { response } = this.#options;
    if (sinceEndMs > gatewayLimits.callerDrainMs) {
      response.destroy();
    } else if (this.#cutsLater && sinceEndMs > gatewayLimits.cutDelayMs) {
      // Without the last chunk of the transfer encoding, so that nobody takes this for a whole reply.
      this.#cutsLater = false;
      if (response.socket === null) response.destroy();
      else response.socket.destroySoon();
    }
  }

  /** What a provider says of an error may quote the prompt, so that only tenants who ask for content have it in spans. */
  #quote(message: string | undefined): string | undefined {
    return this.#options.captures ? message : undefined;
  }

  #checkStall(nowMs: number, stallMs: number): void {
    if (nowMs - this.#progressMs > stallMs) this.#failDeadline("stall", stallMs);
  }

  #failDeadline(name: string, durationMs: number): void {
    this.#fail(
      new PlatformError(
        "provider_timeout",
        `Provider "${this.#options.target.provider.name}" missed the ${name} deadline of ${durationMs} ms.`,
      ),
    );
  }

  #fail(error: PlatformError): void {
    if (this.#phase === "ended") return;
    if (error.code === "internal") {
      const { operationId } = this.#options.record;
      this.#state.log("error", error.message, { operationId, cause: String(error.cause) });
    }
    const complete = this.#relay?.complete === true;
    if (this.#relay === undefined) {
      const { response, record } = this.#options;
      sendError(response, error, { "x-faultline-operation-id": record.operationId });
    } else {
      this.#cutsLater = this.#relay.fail(error);
    }
    if (complete) this.#end("completed", undefined, undefined);
    // What the provider itself said of its failure tells more than that the stream broke afterwards.
    else this.#end("failed", error.code, this.#quote(this.#reader.errorMessage) ?? error.message);
    this.#controller?.abort(error);
  }

  /** The caller's side is done: everything is written, or it has left. */
  onCallerClosed(): void {
    this.#state.deadlines.remove(this);
    if (this.#phase === "ended") return;
    this.#end("cancelled", undefined, undefined);
    this.#controller?.abort(new Error("The caller left."));
  }

  #onCallerDrained(): void {
    this.#waitsForCaller = false;
    this.#progressMs = this.#state.clock.monotonicMs();
    this.#controller?.resume();
  }

  /** Writes down how the call ended. The caller may still be taking the last bytes. */
  #end(
    outcome: OperationRecord["outcome"],
    errorType: ErrorCode | `provider_status_${number}` | undefined,
    message: string | undefined,
  ): void {
    const { record, target, response, arrivedMs } = this.#options;
    const reader = this.#reader;
    this.#phase = "ended";
    this.#endedMs = this.#state.clock.monotonicMs();
    record.durationMs = this.#endedMs - arrivedMs;
    record.outcome = outcome;
    record.errorType = errorType;
    record.errorMessage = message;
    record.status = response.headersSent ? response.statusCode : undefined;
    record.responseId = reader.responseId;
    record.responseModel = reader.responseModel;
    record.finishReasons = reader.finishReasons;
    record.outputMessages = this.#captured?.toMessages(reader.finishReasons);
    if (reader.usageSeen) {
      record.usage = reader.usage;
      record.costMicros = priceUsage(target, reader.usage);
      record.priceSource = target.price.source;
    }
    this.#state.metrics.observe(record, target.model.id);
    this.#state.queue.push(record);
    this.#relay = undefined;
    if (this.#captured === undefined) this.#state.readers.giveBack(reader);
  }
}
