/** One request of a caller, from its body to its record: what it asks for, the attempts to answer it, how it ended. */

import type { Target } from "#catalog/index.ts";
import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { GatewayState } from "../workers/gateway-state.ts";
import type { Attempt, AttemptOwner, AttemptResult } from "./attempt.ts";
import type { AttemptLoop, AttemptLoopOwner, Unready } from "../dispatch/attempt-loop.ts";
import { type AttemptUsage, priceAttempt } from "./attempt-usage.ts";
import { CallCredit } from "./call-credit.ts";
import { CallLimits } from "./call-limits.ts";
import { guardReply, refuseKilled, replyTooLarge } from "../bundles/guard-reply.ts";
import { CallerEnd } from "./caller-end.ts";
import { CapturedText } from "./captured-text.ts";
import type { ListPlace } from "../live-list.ts";
import type { Guarded } from "./deadlines.ts";
import { toPlatformError } from "./dialect.ts";
import { failedExchange } from "./failed-exchange.ts";
import { FramedResponse } from "./framed-response.ts";
import { type EndFailure, noteEnd } from "./note-end.ts";
import { noteReply, noteUsage } from "./note-usage.ts";
import { openLoop } from "./open-loop.ts";
import { operationHeaders } from "./operation-headers.ts";
import { noteTarget, openAttempt } from "./open-attempt.ts";
import type { OperationParts } from "./operation-parts.ts";
import type { OperationRecord } from "./operation-record.ts";
import { errorBodyFor, type ProviderError } from "./provider-error.ts";
import type { Relay } from "./relay.ts";
import type { ReplyReader } from "./reply-reader.ts";
import type { ReplyHead } from "./reply-head.ts";
import { ReplyKeeping } from "./reply-keeping.ts";
import type { ReplySink } from "./reply-sink.ts";
import { type Asked, readRequest } from "./read-request.ts";
import { sendError, sendProviderError } from "./send-error.ts";
import { OperationTiming } from "../observation/operation-timing.ts";
import { planRequest, type RequestPlan } from "./upstream-request.ts";

type Failure = Exclude<AttemptResult, { kind: "completed" }>;

export class Operation implements AttemptOwner, AttemptLoopOwner, Guarded {
  readonly #state: GatewayState;
  readonly #parts: OperationParts;
  #sink: ReplySink;
  readonly #keeping: ReplyKeeping;
  guardPlace: ListPlace | undefined;
  #asked: Asked | undefined;
  #loop: AttemptLoop | undefined;
  /** Of the latest attempt. */
  #target: Target | undefined;
  /** For the target that is turned to. */
  #plan: RequestPlan | undefined;
  #attempt: Attempt | undefined;
  /** What it used stands in no record yet. */
  #isUnsettled = false;
  #reader: ReplyReader | undefined;
  #captured: CapturedText | undefined;
  /** Monotonic time at which the record was written; the caller may still be taking the last bytes. */
  #endedMs: number | undefined;
  readonly #callerEnd: CallerEnd;
  readonly #limits: CallLimits;
  readonly #credit: CallCredit;
  readonly timing: OperationTiming;
  /** The latest failure that another attempt was to mend. */
  #latestFailure: Failure | undefined;

  constructor(state: GatewayState, parts: OperationParts) {
    this.#state = state;
    this.#parts = parts;
    this.#sink = parts.recorder ?? new FramedResponse(parts.response);
    this.#keeping = new ReplyKeeping(state, parts);
    this.#callerEnd = new CallerEnd(parts.response);
    this.#limits = new CallLimits(state, parts);
    this.#credit = new CallCredit(state, parts);
    this.timing = new OperationTiming(parts, state);
  }

  get clock(): Clock {
    return this.#state.clock;
  }

  get isOpenStream(): boolean {
    return this.#parts.record.stream && this.#endedMs === undefined;
  }

  /** Reads the body and sends it on; from here on the operation ends itself, exactly once. */
  begin(body: Buffer): void {
    try {
      const asked = readRequest(this.#state, this.#parts, body);
      this.#asked = asked;
      this.#limits.admit(asked, {
        admitted: () => this.#dispatch(asked),
        refused: (error) => this.#failNow(error),
      });
    } catch (error) {
      this.#failNow(toPlatformError(error));
    }
  }

  #dispatch(asked: Asked): void {
    try {
      this.#sink = this.#keeping.open(asked, this, this.#sink);
      // The journal may have failed already.
      if (this.#endedMs !== undefined || this.#answerFromCache()) return;
      const sink = this.#keeping.listen(this.#sink);
      this.#sink = guardReply(sink, asked.use, { call: this.#parts, onRefused: this.#refused });
      this.#state.deadlines.add(this);
      const call = { parts: this.#parts, asked, limited: this.#limits.limited };
      this.#loop = openLoop(this.#state, call, this);
      this.#loop.begin();
    } catch (error) {
      this.#failNow(toPlatformError(error));
    }
  }

  prepare(target: Target): "ready" | "asking" | Unready {
    try {
      this.#plan = this.#planFor(target);
    } catch (thrown) {
      const error = toPlatformError(thrown);
      this.#logIfOurs(error);
      return { refusal: "untranslatable", error };
    }
    return this.#limits.turn(target, this.#turned);
  }

  onTarget(target: Target): void {
    try {
      this.#try(target);
    } catch (error) {
      this.#failNow(toPlatformError(error));
    }
  }

  /** What the last target that was asked said of its failure tells more than that no attempt can follow. */
  onGivenUp(error: PlatformError): void {
    if (this.#latestFailure === undefined) return this.#failNow(error);
    this.#loop?.leave();
    return this.#finish(this.#latestFailure);
  }

  /** Ends it now, because the process must go. */
  cut(): void {
    this.fail(new PlatformError("shutting_down", "Faultline is shutting down."));
  }

  /** Ends it for a reason from outside. */
  fail(error: PlatformError): void {
    if (this.#endedMs !== undefined) return;
    if (this.#attempt?.hasEnded === false) this.#attempt.fail(error);
    else this.#failNow(error);
  }

  /** The caller's side is done: everything is written, or it has left. Says no when the call goes on all the same. */
  onCallerClosed(): boolean {
    if (this.#keeping.outlivesCaller && this.#endedMs === undefined) {
      this.timing.onCallerLeft("kept");
      return false;
    }
    this.#state.deadlines.remove(this);
    if (this.#endedMs !== undefined) return true;
    if (this.#attempt?.hasEnded === false) this.timing.onCallerLeft("cancelled");
    this.#attempt?.cancel("The caller left.");
    this.#loop?.leave();
    this.#end("cancelled", undefined);
    return true;
  }

  onTick(nowMs: number): void {
    if (this.#endedMs !== undefined) {
      this.#callerEnd.onTick(nowMs - this.#endedMs);
      return;
    }
    this.#attempt?.onTick(nowMs);
    this.#loop?.onTick(nowMs);
  }

  relayOf(
    head: ReplyHead,
    reply: { readonly status: number; readonly length: string | undefined },
  ): Relay {
    const { surface } = this.#parts;
    // Both are made before the attempt that asks for them.
    const reader = this.#reader as ReplyReader;
    const plan = this.#plan as RequestPlan;
    const target = { sink: this.#sink, status: reply.status, head, reader, surface };
    return plan.relayOf(target, reply.length);
  }

  onProgress(nowMs: number, { deltaSeen, committed }: Relay): void {
    this.timing.onProgress(nowMs, deltaSeen);
    if (deltaSeen) this.#loop?.began();
    // Nothing is sent again from now on; a long stream must not hold a long request.
    if (committed && this.#asked !== undefined) this.#plan?.forget(this.#asked);
  }

  onBackPressure(): void {
    this.#sink.once("drain", () => this.#attempt?.resume());
  }

  onEnd(result: AttemptResult): void {
    // A policy ended it before the provider did.
    if (this.#endedMs !== undefined) return;
    if (result.kind === "completed") {
      this.#loop?.completed();
      this.#endCompleted();
      return;
    }
    const exchange = failedExchange(result, this.clock.nowMs(), () => this.#settle(false));
    this.#latestFailure = result;
    if (exchange !== undefined) this.#credit.settle(undefined);
    else this.#loop?.leave();
    if (exchange !== undefined && this.#loop?.failed(exchange) === true) return;
    this.#finish(result);
  }

  /** Tells the caller of a failure that no attempt follows. */
  #finish(result: Failure): void {
    switch (result.kind) {
      case "refused":
        this.#passOn(result.error);
        return;
      case "failed":
        this.#logIfOurs(result.error);
        this.#callerEnd.cutsLater = result.cutsLater;
        if (!result.committed) {
          const { record, surface } = this.#parts;
          const origin = { operationId: record.operationId, headers: this.#ownHeaders() };
          sendError(this.#sink, result.error, { dialect: surface.dialect, ...origin });
        }
        this.#end(result.error.code === "stream_cancelled" ? "cancelled" : "failed", {
          type: result.error.code,
          // What the provider itself said of its failure tells more than that the stream broke afterwards.
          message: this.#quote(this.#reader?.errorMessage) ?? result.error.message,
        });
    }
  }

  #try(target: Target): void {
    const { upstreams } = this.#state;
    // Both are made before the loop asks for them; since then, another configuration may have come.
    const asked = this.#asked as Asked;
    let plan = this.#plan as RequestPlan;
    if (plan.upstream !== upstreams.of(target.provider.name)) plan = this.#planFor(target);
    this.#plan = plan;
    this.#dropReply();
    this.#target = target;
    noteTarget(this.#parts.record, target, plan);
    const admitted = (isClamped: boolean): void => this.#start(target, asked, isClamped);
    const refused = (error: PlatformError): void => this.onGivenUp(error);
    this.#keeping.beforeDispatch(() => this.#credit.hold(target, asked, { admitted, refused }));
  }

  /** Credit or the journal may have taken their time: what came since counts. */
  #start(target: Target, asked: Asked, isClamped: boolean): void {
    if (this.#endedMs !== undefined) return;
    try {
      const { facts, deadlines, captures } = asked;
      refuseKilled(this.#state.knowledge, this.#parts.key, { target, use: asked.use });
      if (isClamped) this.#plan = this.#planFor(target);
      // It was made before the loop asked for it.
      const plan = this.#plan as RequestPlan;
      this.#captured = captures ? new CapturedText() : undefined;
      this.#reader = this.#state.readers.take(plan.surface.reply, this.#captured);
      const common = { target, plan, stream: facts.stream, reader: this.#reader, deadlines };
      this.#attempt = openAttempt({ ...common, headers: this.#ownHeaders() }, this);
      this.#isUnsettled = true;
      this.#attempt.start();
    } catch (error) {
      this.#failNow(toPlatformError(error));
    }
  }

  #planFor(target: Target): RequestPlan {
    const { surface, headers, record } = this.#parts;
    const asked = this.#asked as Asked;
    const outputLimit = this.#credit.outputLimit(asked);
    const call = { surface, headers, record, body: asked.body, facts: asked.facts, outputLimit };
    return planRequest({ ...call, target, upstreams: this.#state.upstreams });
  }

  /** The limits of the target that is turned to have answered. */
  readonly #turned = (unready: Unready | undefined): void => {
    if (this.#endedMs === undefined) this.#loop?.prepared(unready);
  };

  /** Answers without a provider, when the caller wants that and the cache can. */
  #answerFromCache(): boolean {
    const reply = this.#keeping.findCached();
    if (reply === undefined) return false;
    this.#target = reply.target;
    const headers = this.#ownHeaders();
    this.#keeping.answer(reply, { sink: this.#sink, use: this.#asked?.use, headers });
    this.#end("completed", undefined);
    return true;
  }

  readonly #refused = (): void => {
    if (this.#endedMs !== undefined) return;
    this.#attempt?.cancel("The safety policy of the bundle refuses the reply.");
    if (!this.#sink.headersSent) return this.#failNow(replyTooLarge());
    this.#loop?.completed();
    return this.#end("completed", undefined);
  };

  /** Forgets what an attempt that another follows has brought. */
  #dropReply(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    this.timing.forget();
    this.#state.readers.giveBack(reader);
  }

  #ownHeaders(): Record<string, string> {
    return operationHeaders({
      record: this.#parts.record,
      limits: this.#limits.headers(),
      use: this.#asked?.use,
      target: this.#target,
      attemptCount: this.#loop?.attemptCount ?? 0,
    });
  }

  /** The provider's own error, in the caller's dialect. */
  #passOn(error: ProviderError): void {
    const { dialect } = this.#parts.surface;
    const provider = this.#attempt?.target.provider.name ?? "";
    const body = this.#plan?.errorBody?.(error) ?? errorBodyFor(error, { dialect, provider });
    sendProviderError(this.#sink, error, body);
    this.#end("failed", {
      type: `provider_status_${error.status}`,
      message: this.#quote(error.message) ?? `The provider answered with status ${error.status}.`,
    });
  }

  #endCompleted(): void {
    const said = this.#reader?.errorMessage;
    if (said === undefined) return this.#end("completed", undefined);
    const message = this.#quote(said) ?? "The provider reported an error in its stream.";
    return this.#end("failed", { type: "provider_stream_cut", message });
  }

  /** What a provider says of an error may quote the prompt, so that only tenants who ask for content have it in spans. */
  #quote(message: string | undefined): string | undefined {
    return this.#asked?.captures === true ? message : undefined;
  }

  /** Ends before a target could say anything, or for a reason that is none of its own. */
  #failNow(error: PlatformError): void {
    this.#loop?.leave();
    this.#finish({ kind: "failed", error, committed: false, failure: undefined, cutsLater: false });
  }

  #logIfOurs(error: PlatformError): void {
    if (error.code !== "internal") return;
    const fields = { operationId: this.#parts.record.operationId, cause: String(error.cause) };
    this.#state.log("error", error.message, fields);
  }

  /** Writes down how it ended. The caller may still be taking the last bytes. */
  #end(outcome: OperationRecord["outcome"], failure: EndFailure | undefined): void {
    const { record } = this.#parts;
    const target = this.#target;
    const reader = this.#reader;
    this.#endedMs = this.#state.clock.monotonicMs();
    this.timing.end(this.#endedMs, this.#loop?.waitedMs ?? this.#parts.waitedMs);
    noteEnd(record, { outcome, failure, loop: this.#loop, sink: this.#sink });
    record.lastUsed = this.#settle(outcome === "completed" && record.refusedBy === undefined);
    if (reader !== undefined) this.#noteReply(reader);
    this.#credit.end();
    this.#limits.end();
    this.#state.metrics.observe(record, target?.model.id);
    this.#state.queue.push(record);
    if (!this.#keeping.end(target)) return;
    this.#state.deadlines.remove(this);
    this.#parts.onReleased();
  }

  #noteReply(reader: ReplyReader): void {
    noteReply(this.#parts.record, reader, this.#captured);
    this.#reader = undefined;
    this.#state.readers.giveBack(reader);
  }

  /** Counts and prices what the latest attempt used, once. */
  #settle(isComplete: boolean): AttemptUsage | undefined {
    const { record } = this.#parts;
    const [attempt, reader, asked] = [this.#attempt, this.#reader, this.#asked];
    if (!this.#isUnsettled || attempt?.isAtWork !== true) return undefined;
    this.#isUnsettled = false;
    // The counting of tokens is free.
    if (reader === undefined || asked === undefined || record.operation === "count_tokens")
      return undefined;
    const used = priceAttempt(reader, { ...asked, target: attempt.target, isComplete });
    noteUsage(record, used);
    this.#credit.settle(used);
    return used;
  }
}
