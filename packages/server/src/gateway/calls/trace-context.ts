/** Trace context as W3C Trace Context defines it: continued from the caller, passed on to the provider. */

import type { Random } from "#kernel/index.ts";

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** `traceparent` for the next hop. */
  readonly header: string;
}

const traceparentForm = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const noTrace = "0".repeat(32);
const noSpan = "0".repeat(16);

/** How many random bytes are drawn at once; drawing them one id at a time costs more than all the rest. */
const poolBytes = 4_096;

/** Makes trace contexts; ids come from `random`. */
export class TraceContexts {
  readonly #random: Random;
  #pool = "";
  #used = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Continues the caller's trace, or starts one when the header is absent or malformed. */
  continue(traceparent: string | undefined): TraceContext {
    const match = traceparent === undefined ? null : traceparentForm.exec(traceparent);
    const spanId = this.#hex(16);
    const traceId = match?.[1];
    const parentSpanId = match?.[2];
    if (
      traceparent?.startsWith("ff") === true ||
      traceId === undefined ||
      parentSpanId === undefined ||
      traceId === noTrace ||
      parentSpanId === noSpan
    ) {
      const fresh = this.#hex(32);
      return {
        traceId: fresh,
        spanId,
        parentSpanId: undefined,
        header: `00-${fresh}-${spanId}-01`,
      };
    }
    return {
      traceId,
      spanId,
      parentSpanId,
      header: `00-${traceId}-${spanId}-${match?.[3] ?? "01"}`,
    };
  }

  #hex(length: number): string {
    if (this.#used + length > this.#pool.length) {
      this.#pool = Buffer.from(this.#random.bytes(poolBytes)).toString("hex");
      this.#used = 0;
    }
    const hex = this.#pool.slice(this.#used, this.#used + length);
    this.#used += length;
    return hex;
  }
}
