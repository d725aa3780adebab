/** One exchange with one target: deadlines, cancellation, the relay of the reply, how it ended. */

import type { IncomingHttpHeaders } from "node:http";

import type { Target } from "#catalog/index.ts";
import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";
import type { Dispatcher } from "undici";

import type { AttemptFailure } from "../dispatch/attempt-failure.ts";
import { gatewayLimits } from "../limits.ts";
import type { OperationTiming } from "../observation/operation-timing.ts";
import type { ReplyReader } from "./reply-reader.ts";
import { toPlatformError } from "./dialect.ts";
import { type ProviderError, ProviderErrorBody } from "./provider-error.ts";
import type { Relay } from "./relay.ts";
import { descriptorsExhausted, isDescriptorFault } from "../workers/descriptor-reserve.ts";
import { replyHead, type ReplyHead } from "./reply-head.ts";
import { failureOfReply } from "./reply-failure.ts";
import { toProviderError, transportFaultOf } from "./transport-error.ts";

/** Durations in milliseconds; `totalAtMs` is a monotonic time. */
export interface AttemptDeadlines {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly stallMs: number;
  readonly totalMs: number;
  readonly totalAtMs: number;
}

export interface AttemptPlan {
  readonly target: Target;
  readonly dispatcher: Dispatcher;
  readonly request: Dispatcher.DispatchOptions;
  readonly stream: boolean;
  readonly deadlines: AttemptDeadlines;
  readonly reader: ReplyReader;
  /** Headers of ours for a reply that this target serves. */
  readonly ownHeaders: Readonly<Record<string, string>>;
}

/** How an attempt ended; each attempt ends once, unless it is cancelled. */
export type AttemptResult =
  | { readonly kind: "completed" }
  /** The provider answered with an error; the caller has got nothing. */
  | { readonly kind: "refused"; readonly error: ProviderError }
  /** `committed` says that the caller has got a part of the reply already, and was told. */
  | {
      readonly kind: "failed";
      readonly error: PlatformError;
      readonly committed: boolean;
      /** How the target failed; `undefined` when it ended for a reason of ours. */
      readonly failure: AttemptFailure | undefined;
      /** Asks to cut the caller's connection once it had time to read the last words. */
      readonly cutsLater: boolean;
    };

/** Who made the attempt. */
export interface AttemptOwner {
  readonly clock: Clock;
  /** Is told when the request has a connection, and when a cancelled exchange has ended. */
  readonly timing: OperationTiming;
  /** Makes the relay of a reply that has the form that was asked for. */
  relayOf(
    head: ReplyHead,
    reply: { readonly status: number; readonly length: string | undefined },
  ): Relay;
  /** Something came. */
  onProgress(nowMs: number, relay: Pick<Relay, "deltaSeen" | "committed">): void;
  /** The caller does not take more for now; it must call `resume` when it does. */
  onBackPressure(): void;
  onEnd(result: AttemptResult): void;
}

/** A stream that flows is looked at this often; the time after its announced end is longer by as much at most. */
const quietMsMax = 100;

type Phase = "connecting" | "waiting" | "replying" | "ended";

export class Attempt implements Dispatcher.DispatchHandler {
  readonly #plan: AttemptPlan;
  readonly #owner: AttemptOwner;
  readonly #dispatchedMs: number;
  #controller: Dispatcher.DispatchController | undefined;
  #relay: Relay | undefined;
  #errorBody: ProviderErrorBody | undefined;
  #phase: Phase = "connecting";
  #progressMs: number;
  #progress = 0;
  /** Before this time there is nothing to look at in the deadlines. */
  #quietUntilMs = 0;
  /** The caller's slowness is no stall of the provider. */
  #waitsForCaller = false;
  #isAtWork = false;

  constructor(plan: AttemptPlan, owner: AttemptOwner) {
    this.#plan = plan;
    this.#owner = owner;
    this.#dispatchedMs = owner.clock.monotonicMs();
    this.#progressMs = this.#dispatchedMs;
  }

  get target(): Target {
    return this.#plan.target;
  }

  /**
   * Whether the provider took the request and did not refuse it: it reads and answers, for money, whether or not anybody
   * waits. A connection that broke before anything came back says that it did not.
   */
  get isAtWork(): boolean {
    return this.#isAtWork;
  }

  /** Sends the request. */
  start(): void {
    this.#plan.dispatcher.dispatch(this.#plan.request, this);
  }

  /** Ends without a result: nobody wants the reply any more. */
  cancel(reason: string): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#controller?.abort(new Error(reason));
  }

  get hasEnded(): boolean {
    return this.#phase === "ended";
  }

  /** Ends as failed: for a reason from outside, or because the target did. */
  fail(error: PlatformError, failure?: AttemptFailure): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    const relay = this.#relay;
    const committed = relay?.committed === true;
    const complete = relay?.complete === true;
    const cutsLater = committed && relay.breakOff(error);
    this.#controller?.abort(error);
    // All was said already: that the connection broke afterwards takes nothing away.
    if (committed && complete) this.#owner.onEnd({ kind: "completed" });
    else this.#owner.onEnd({ kind: "failed", error, committed, failure, cutsLater });
  }

  /** The caller takes more again. */
  resume(): void {
    if (!this.#waitsForCaller) return;
    this.#waitsForCaller = false;
    this.#progressMs = this.#owner.clock.monotonicMs();
    this.#controller?.resume();
  }

  /** Looks at the deadlines. */
  onTick(nowMs: number): void {
    if (this.#phase === "ended" || nowMs < this.#quietUntilMs) return;
    const { deadlines, stream } = this.#plan;
    if (nowMs > deadlines.totalAtMs) {
      this.#failDeadline("total", deadlines.totalMs);
    } else if (this.#phase === "connecting") {
      if (nowMs - this.#dispatchedMs > deadlines.connectMs) {
        this.#failDeadline("connect", deadlines.connectMs, "connect");
      }
    } else if (this.#relay?.complete === true) {
      if (nowMs - this.#progressMs > gatewayLimits.afterDoneMs) this.#failDeadline("total", 0);
    } else if (this.#waitsForCaller) {
      this.#progressMs = nowMs;
    } else if (this.#relay?.deltaSeen === true) {
      this.#checkStall(nowMs, deadlines.stallMs);
      // What comes meanwhile only puts the stall off; thousands of streams wait here.
      const stallAtMs = this.#progressMs + deadlines.stallMs;
      this.#quietUntilMs = Math.min(nowMs + quietMsMax, stallAtMs, deadlines.totalAtMs);
    } else if (stream && this.#errorBody === undefined) {
      if (nowMs - this.#dispatchedMs > deadlines.firstTokenMs) {
        this.#failDeadline("first token", deadlines.firstTokenMs, "first-token");
      }
      // A plain reply comes whole, so that only the total deadline bounds its first byte.
    } else if (this.#phase === "replying") {
      this.#checkStall(nowMs, deadlines.stallMs);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#phase === "ended") controller.abort(new Error("The call has ended."));
    else {
      this.#phase = "waiting";
      this.#isAtWork = true;
      this.#owner.timing.onConnected(this.#owner.clock.monotonicMs() - this.#dispatchedMs);
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#owner.timing.touch();
    if (this.#phase === "ended" || status < 200) return;
    this.#phase = "replying";
    // A head that is no reply's refuses the request.
    this.#isAtWork = false;
    this.#progressMs = this.#owner.clock.monotonicMs();
    try {
      this.#begin(status, headers);
    } catch (error) {
      this.#failReply(error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    this.#owner.timing.touch();
    if (this.#phase === "ended") return;
    if (this.#errorBody !== undefined) {
      this.#errorBody.write(part);
      this.#progressMs = this.#owner.clock.monotonicMs();
      return;
    }
    const relay = this.#relay;
    if (relay === undefined) return;
    try {
      const flowing = relay.write(part);
      this.#noteProgress(relay);
      if (!flowing && !this.#waitsForCaller) {
        this.#waitsForCaller = true;
        controller.pause();
        this.#owner.onBackPressure();
      }
    } catch (error) {
      this.#noteProgress(relay);
      this.#failReply(error);
    }
  }

  onResponseEnd(): void {
    if (this.#phase === "ended") return this.#owner.timing.onGone();
    if (this.#errorBody !== undefined) {
      this.#phase = "ended";
      const error = this.#errorBody.end(this.#plan.target.provider.apiKey);
      this.#owner.onEnd({ kind: "refused", error });
      return;
    }
    try {
      this.#relay?.end();
    } catch (error) {
      this.#failReply(error);
      return;
    }
    this.#phase = "ended";
    this.#owner.onEnd({ kind: "completed" });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#phase === "ended") return this.#owner.timing.onGone();
    if (this.#phase !== "replying") this.#isAtWork = false;
    // That is none of the target's faults.
    if (isDescriptorFault(error)) return this.fail(descriptorsExhausted(error));
    const state = {
      provider: this.#plan.target.provider.name,
      replying: this.#phase === "replying",
      connecting: this.#phase === "connecting",
    };
    const fault = transportFaultOf(error, state);
    this.fail(toProviderError(error, state), { kind: "transport", fault });
  }

  #failReply(thrown: unknown): void {
    const error = toPlatformError(thrown);
    this.fail(error, failureOfReply(error, this.#plan.reader));
  }

  #begin(status: number, headers: IncomingHttpHeaders): void {
    const { target, stream, ownHeaders } = this.#plan;
    const { name } = target.provider;
    if (status === 401 || status === 403) {
      throw new PlatformError(
        "provider_unauthorized",
        `Provider "${name}" refused the credential that Faultline has for it (status ${status}).`,
        { hint: "The operator must check the key in the variable that the configuration names." },
      );
    }
    const head = replyHead(headers, ownHeaders);
    if (status >= 400) {
      this.#errorBody = new ProviderErrorBody(status, head);
      return;
    }
    const type = headers["content-type"] ?? "";
    const expected = stream ? "text/event-stream" : "application/json";
    if (status >= 300 || !isOfType(type, expected)) {
      throw new PlatformError(
        "provider_response_invalid",
        `Provider "${name}" answered with status ${status} and content type "${mediaTypeOf(type)}" instead of "${expected}".`,
      );
    }
    this.#isAtWork = true;
    this.#relay = this.#owner.relayOf(head, { status, length: headers["content-length"] });
  }

  #noteProgress(relay: Relay): void {
    if (relay.progress === this.#progress) return;
    this.#progress = relay.progress;
    const nowMs = this.#owner.clock.monotonicMs();
    this.#progressMs = nowMs;
    this.#owner.onProgress(nowMs, relay);
  }

  #checkStall(nowMs: number, stallMs: number): void {
    if (nowMs - this.#progressMs <= stallMs) return;
    this.#failDeadline("stall", stallMs, "inter-token");
  }

  #failDeadline(
    name: string,
    durationMs: number,
    deadline?: "connect" | "first-token" | "inter-token",
  ): void {
    this.fail(
      new PlatformError(
        "provider_timeout",
        `Provider "${this.#plan.target.provider.name}" missed the ${name} deadline of ${durationMs} ms.`,
      ),
      deadline === undefined ? undefined : { kind: "deadline", deadline },
    );
  }
}

function isOfType(contentType: string, mediaType: string): boolean {
  if (contentType === mediaType) return true;
  // As nearly all write their parameters.
  if (contentType.startsWith(mediaType) && contentType[mediaType.length] === ";") return true;
  return mediaTypeOf(contentType) === mediaType;
}

/** A content type without its parameters. */
function mediaTypeOf(contentType: string): string {
  return contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
