/** What the cache does for one call: answers it, or keeps its reply. */

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import type { SurfaceName } from "#config/index.ts";
import type { Target } from "#catalog/index.ts";
import type { TenantId } from "@faultline/protocol";

import { askingHeaders } from "../calls/asking-headers.ts";
import type { OperationRecord } from "../calls/operation-record.ts";
import type { ReplySink } from "../calls/reply-sink.ts";
import { cacheHeader } from "./cache-wish.ts";
import { CacheSink } from "./cache-sink.ts";
import { canonicalBody } from "./canonical-body.ts";
import type { CachedReply, ResponseCache } from "./response-cache.ts";

/** What two calls must share so that one reply answers both. */
export interface CacheQuestion {
  readonly tenantId: TenantId;
  readonly surface: SurfaceName;
  /** With its hash goes its policy. */
  readonly bundleHash: string | undefined;
  /** The targets that may serve it: their names, and what these stand for now. */
  readonly targets: readonly string[];
  /** Those that reach the provider. */
  readonly headers: IncomingHttpHeaders;
  /** As it is sent on. */
  readonly body: Buffer;
}

/** Reasons to end with which an answer is not all that it could be. */
const cutShort: ReadonlySet<string> = new Set([
  "length",
  "max_tokens",
  "model_context_window_exceeded",
  "incomplete",
]);
const msPerSecond = 1_000;

export class CallCache {
  readonly #cache: ResponseCache;
  /** Without the body, which may be long and is asked for no more. */
  readonly #asked: Pick<CacheQuestion, "surface" | "tenantId">;
  readonly #key: string;
  readonly #ageMsMax: number;
  #listening: CacheSink | undefined;

  constructor(cache: ResponseCache, question: CacheQuestion, ageMsMax: number) {
    this.#cache = cache;
    this.#asked = { surface: question.surface, tenantId: question.tenantId };
    this.#ageMsMax = ageMsMax;
    this.#key = keyOf(question);
  }

  /** The reply that answers this call. */
  find(nowMs: number): CachedReply | undefined {
    return this.#cache.find(this.#key, { ageMsMax: this.#ageMsMax, nowMs });
  }

  /** Puts itself before a sink, so that the reply can be kept. */
  listen(sink: ReplySink): ReplySink {
    this.#listening = new CacheSink(sink);
    return this.#listening;
  }

  /** Keeps the reply of a call that has ended, if it is whole, no error, and nobody's rules took offence. */
  keep(record: OperationRecord, now: { readonly target: Target; readonly nowMs: number }): void {
    const reply = this.#listening?.whole;
    if (reply?.status !== 200 || record.outcome !== "completed") return;
    if (record.refusedBy !== undefined || record.errorType !== undefined) return;
    if (record.finishReasons.some((reason) => cutShort.has(reason))) return;
    // A response that goes on in the background says nothing yet.
    if (this.#asked.surface === "responses" && record.finishReasons.length === 0) return;
    this.#cache.put(this.#key, {
      ...reply,
      tenantId: this.#asked.tenantId,
      storedMs: now.nowMs,
      target: now.target,
      responseId: record.responseId,
      responseModel: record.responseModel,
      finishReasons: record.finishReasons,
    });
  }
}

/** Answers with a kept reply, and notes that nothing was used for it. */
export function answerFromCache(
  reply: CachedReply,
  call: {
    readonly sink: ReplySink;
    readonly record: OperationRecord;
    readonly headers: Readonly<Record<string, string>>;
    readonly nowMs: number;
  },
): void {
  const { sink, record, headers, nowMs } = call;
  const age = Math.floor((nowMs - reply.storedMs) / msPerSecond);
  sink.writeHead(reply.status, { ...reply.head, ...headers, age, [cacheHeader]: "hit" });
  sink.end(reply.body);
  record.cacheHit = true;
  record.provider = reply.target.provider.name;
  record.simulated = reply.target.provider.kind === "simulated";
  record.responseId = reply.responseId;
  record.responseModel = reply.responseModel;
  record.finishReasons = reply.finishReasons;
  record.usage = {
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
  };
  record.costMicros = 0n;
}

function keyOf(question: CacheQuestion): string {
  const { tenantId, surface, bundleHash = null, targets, headers, body } = question;
  const asking = askingHeaders(headers);
  const hash = createHash("sha256");
  hash.update(JSON.stringify([tenantId, surface, bundleHash, targets, asking]));
  return hash.update("\u0000").update(canonicalBody(body.toString())).digest("hex");
}
