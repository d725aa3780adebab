/** What is kept of one reply: for readers who come back, for those who send its key, for the same question again. */

import type { Target } from "#catalog/index.ts";

import { isDurable, refuseKilled } from "../bundles/guard-reply.ts";
import type { BundleUse } from "../bundles/resolve-call.ts";
import { readCacheWish } from "../cache/cache-wish.ts";
import { answerFromCache, CallCache } from "../cache/call-cache.ts";
import type { CachedReply } from "../cache/response-cache.ts";
import { keptOutcome } from "../idempotency/kept-outcome.ts";
import { asksForDurable } from "../streams/durable-request.ts";
import type { RecordedWork, ReplyRecorder } from "../streams/reply-recorder.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { OperationParts } from "./operation-parts.ts";
import type { Asked } from "./read-request.ts";
import type { ReplySink } from "./reply-sink.ts";

export class ReplyKeeping {
  readonly #state: GatewayState;
  readonly #parts: OperationParts;
  #recorder: ReplyRecorder | undefined;
  #cache: CallCache | undefined;

  constructor(state: GatewayState, parts: OperationParts) {
    this.#state = state;
    this.#parts = parts;
    this.#recorder = parts.recorder;
  }

  /** Whether the reply goes on when its caller leaves. */
  get outlivesCaller(): boolean {
    return this.#recorder !== undefined;
  }

  /**
   * Begins to keep the reply, as far as the call or its bundle asks for it, and gives where it goes: to the caller, or to
   * what keeps it. Throws when there is no room for it, and for words that are not known.
   */
  open(asked: Asked, work: RecordedWork, caller: ReplySink): ReplySink {
    const { headers } = this.#parts;
    const ageMsMax = readCacheWish(headers, {
      defaultMs: this.#state.knowledge.settings.cacheMs,
      bundleSeconds: asked.use?.bundle.document.stream?.cache?.ttlSeconds,
    });
    this.#record(asked, work);
    const sink = this.#recorder ?? caller;
    if (ageMsMax === undefined) return sink;
    this.#cache = this.#openCache(asked, ageMsMax);
    return sink;
  }

  /** A reply that answers the call without a provider. */
  findCached(): CachedReply | undefined {
    return this.#cache?.find(this.#state.clock.monotonicMs());
  }

  /** Answers with it. Throws `killed` when a switch has come while the call waited. */
  answer(
    reply: CachedReply,
    call: {
      readonly sink: ReplySink;
      readonly use: BundleUse | undefined;
      readonly headers: Readonly<Record<string, string>>;
    },
  ): void {
    const { record, key } = this.#parts;
    const { clock, knowledge } = this.#state;
    refuseKilled(knowledge, key, { target: reply.target, use: call.use });
    answerFromCache(reply, { ...call, record, nowMs: clock.monotonicMs() });
  }

  /** Listens to what a provider answers. */
  listen(sink: ReplySink): ReplySink {
    return this.#cache?.listen(sink) ?? sink;
  }

  /** Calls back once the request may reach a provider, as far as the journal has a say. */
  beforeDispatch(then: () => void): void {
    if (this.#recorder === undefined) then();
    else this.#recorder.beforeDispatch(then);
  }

  /** The call has ended as its record says. Gives whether its own readers look after the rest. */
  end(target: Target | undefined): boolean {
    const { recorder, record } = this.#parts;
    if (target !== undefined && !record.cacheHit) {
      this.#cache?.keep(record, { target, nowMs: this.#state.clock.monotonicMs() });
    }
    if (this.#recorder === undefined) return false;
    this.#recorder.settle(recorder === undefined ? "kept" : keptOutcome(record));
    return true;
  }

  #record({ facts, use }: Asked, work: RecordedWork): void {
    const { surface, key, headers, response, recorder, record } = this.#parts;
    const durable = facts.stream && (asksForDurable(headers) || isDurable(use));
    recorder?.start(work, { surface: surface.name, durable });
    if (recorder !== undefined || !durable) return;
    const { streams } = this.#state;
    const { tenantId } = key;
    this.#recorder = streams.record({ tenantId, surface: surface.name, work });
    record.streamId = this.#recorder.reply.facts.id;
    const place = { response, from: 0, isLive: true, headers: {} };
    streams.follow(this.#recorder.reply, place);
  }

  #openCache({ body, route, use }: Asked, ageMsMax: number): CallCache {
    const { surface, key, headers } = this.#parts;
    const question = {
      tenantId: key.tenantId,
      surface: surface.name,
      bundleHash: use?.bundle.hash,
      targets: route
        .map(({ target: { model, provider } }) =>
          JSON.stringify([model.id, model.upstreamName, provider.baseUrl, provider.pathTemplate]),
        )
        .toSorted((one, other) => (one < other ? -1 : 1)),
      headers,
      body,
    };
    return new CallCache(this.#state.cache, question, ageMsMax);
  }
}
