/** The steps of a case as spans, for the platform's own store. */

import type { Attributes, Span } from "@faultline/contracts";

import type { Clock, Ids } from "#kernel/index.ts";

/** `service.name` of these spans. */
export const caseServiceName = "faultline-cases";

/** Records one step and the parts that it consists of. */
export class StepTrace {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #traceId: string;
  readonly #root: OpenSpan;
  readonly #spans: Span[] = [];

  constructor(parts: { readonly clock: Clock; readonly ids: Ids }, name: string) {
    this.#clock = parts.clock;
    this.#ids = parts.ids;
    // A sortable id without its dashes is 16 bytes, as a trace id is.
    this.#traceId = parts.ids.next().replaceAll("-", "");
    this.#root = this.#open(name, undefined);
  }

  /** What a reader of the trace wants to know of the whole step. */
  note(attributes: Attributes): void {
    Object.assign(this.#root.attributes, attributes);
  }

  /** Runs one part of the step. */
  async part<T>(name: string, run: () => Promise<T> | T): Promise<T> {
    const span = this.#open(name, this.#root.spanId);
    try {
      const result = await run();
      this.#close(span, undefined);
      return result;
    } catch (error) {
      this.#close(span, error);
      throw error;
    }
  }

  /** Ends the step and gives its spans. */
  end(error: unknown): readonly Span[] {
    this.#close(this.#root, error);
    return this.#spans;
  }

  #open(name: string, parentSpanId: string | undefined): OpenSpan {
    return {
      name,
      // The last 8 bytes of an id are its random ones.
      spanId: this.#ids.next().replaceAll("-", "").slice(16),
      parentSpanId,
      startMicros: this.#clock.nowMs() * 1_000,
      startedMs: this.#clock.monotonicMs(),
      attributes: {},
    };
  }

  #close(span: OpenSpan, error: unknown): void {
    const { name, spanId, parentSpanId, startMicros, attributes } = span;
    const durationMs = this.#clock.monotonicMs() - span.startedMs;
    this.#spans.push({
      traceId: this.#traceId,
      spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name,
      kind: "internal",
      service: caseServiceName,
      startMicros,
      durationNanos: Math.max(0, Math.round(durationMs * 1_000_000)),
      status:
        error === undefined ? { code: "unset" } : { code: "error", message: messageOf(error) },
      attributes,
      resource: { "service.name": caseServiceName },
      scope: { name: "faultline" },
      events: [],
      links: [],
    });
  }
}

interface OpenSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMicros: number;
  readonly startedMs: number;
  readonly attributes: Attributes;
}

const messageLengthMax = 4_096;

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, messageLengthMax);
}
