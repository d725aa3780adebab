/** Spans of the platform's own work, written like anyone's. */

import type { AttributeValue, Attributes, Span, SpanKind } from "@faultline/contracts";
import type { TenantId } from "@faultline/protocol";
import type { Logger } from "pino";

import { type Clock, isAbort, type Random } from "#kernel/index.ts";

/** Spans that have ended and wait to be written; beyond it they are dropped and counted. */
const pendingSpanCountMax = 10_000;
const errorMessageLengthMax = 1_024;

/** Identifies a span to its children. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

export interface ActiveSpan {
  readonly context: SpanContext;
  setAttribute(name: string, value: AttributeValue): void;
  /** Ends the span, as an error when one is given. Ending it again does nothing. */
  end(error?: unknown): void;
}

export interface StartSpanOptions {
  readonly kind?: SpanKind;
  readonly parent?: SpanContext;
  readonly attributes?: Attributes;
}

/** Takes the spans that have ended; `Telemetry.ingestSpans` is one. */
export type SpanSink = (
  tenantId: TenantId,
  spans: readonly Span[],
  signal: AbortSignal,
) => Promise<unknown>;

export interface TracerOptions {
  readonly sink: SpanSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The instrumentation scope, for example `faultline.cases`. */
  readonly scope: string;
}

/** The service under which the platform's own spans stand. */
export const platformService = "faultline";

export class Tracer {
  readonly #options: TracerOptions;
  readonly #resource: Attributes = { "service.name": platformService };
  readonly #scope: { name: string };
  #pendingCount = 0;
  #droppedCount = 0;
  readonly #writes = new Set<Promise<void>>();

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#scope = { name: options.scope };
  }

  /** Spans that were lost because too many waited or the store refused them. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Starts a span of a tenant: a child of `parent`, or the root of a new trace. */
  startSpan(tenantId: TenantId, name: string, options: StartSpanOptions = {}): ActiveSpan {
    const { clock, random } = this.#options;
    const context = {
      traceId: options.parent?.traceId ?? hex(random, 16),
      spanId: hex(random, 8),
    };
    const startMs = clock.nowMs();
    const startMonotonicMs = clock.monotonicMs();
    const attributes: Attributes = { ...options.attributes };
    let ended = false;
    return {
      context,
      setAttribute(key, value) {
        attributes[key] = value;
      },
      end: (error) => {
        if (ended) return;
        ended = true;
        this.#write(tenantId, {
          ...context,
          ...(options.parent === undefined ? {} : { parentSpanId: options.parent.spanId }),
          name,
          kind: options.kind ?? "internal",
          service: platformService,
          startMicros: startMs * 1_000,
          durationNanos: Math.round((clock.monotonicMs() - startMonotonicMs) * 1_000_000),
          status: statusOf(error),
          attributes,
          resource: this.#resource,
          scope: this.#scope,
          events: [],
          links: [],
        });
      },
    };
  }

  /** Runs `work` within a span, which ends with it. */
  async trace<T>(
    tenantId: TenantId,
    name: string,
    options: StartSpanOptions & { readonly work: (span: ActiveSpan) => Promise<T> },
  ): Promise<T> {
    const span = this.startSpan(tenantId, name, options);
    try {
      const result = await options.work(span);
      span.end();
      return result;
    } catch (error) {
      span.end(error);
      throw error;
    }
  }

  /** Resolves when every span that has ended is written, or was given up. */
  async flush(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }

  #write(tenantId: TenantId, span: Span): void {
    if (this.#pendingCount >= pendingSpanCountMax) {
      this.#droppedCount += 1;
      return;
    }
    this.#pendingCount += 1;
    const write = this.#deliver(tenantId, span).finally(() => {
      this.#pendingCount -= 1;
      this.#writes.delete(write);
    });
    this.#writes.add(write);
  }

  /** The traced work must not fail because its trace could not be written. */
  async #deliver(tenantId: TenantId, span: Span): Promise<void> {
    const { sink, signal, logger } = this.#options;
    try {
      await sink(tenantId, [span], signal);
    } catch (error) {
      this.#droppedCount += 1;
      if (!isAbort(error)) logger.debug({ err: error, span: span.name }, "a span was not written");
    }
  }
}

function hex(random: Random, byteCount: number): string {
  return Buffer.from(random.bytes(byteCount)).toString("hex");
}

function statusOf(error: unknown): Span["status"] {
  if (error === undefined) return { code: "ok" };
  const message = error instanceof Error ? error.message : "It failed with what is no error.";
  return { code: "error", message: message.slice(0, errorMessageLengthMax) };
}
