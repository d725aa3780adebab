/** Spans of Elastic APM that an agent put together from many short ones. */

import { isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import type { OtlpTally } from "../otlp/tally.ts";
import { numberOf } from "../loose-value.ts";
import { derivedId } from "./ids.ts";
import type { ForeignSpan } from "./span-collector.ts";

/** Calls of one compressed span that are told apart again. */
const callCountMax = 10_000;
/** Calls of all compressed spans of a file that are told apart again. */
const fileCallCountMax = 200_000;

/** What stands for the values of a call that nobody recorded. */
const hiddenValue = "?";

/** Whether a span stands for several of one name, type and destination, one after the other. */
export function isExactComposite(composite: unknown): boolean {
  return isFields(composite) && composite["compression_strategy"] === "exact_match";
}

/** Tells apart again what the compressed spans of one file stand for. */
export class ComposedCalls {
  readonly #tally: OtlpTally;
  #left = fileCallCountMax;

  constructor(tally: OtlpTally) {
    this.#tally = tally;
  }

  /**
   * The spans that a compressed one stands for: as many, each of the mean length, spread evenly over the time in which they
   * were. Calls that were alike only by their kind stay one span, since nothing tells what each was.
   */
  spansOf(span: ForeignSpan, composite: unknown): readonly ForeignSpan[] {
    const count = isFields(composite) ? (numberOf(composite["count"]) ?? 1) : 1;
    const { startMicros, endMicros } = span;
    if (!isFields(composite) || count < 2 || startMicros === undefined || endMicros === undefined) {
      return [span];
    }
    if (!isExactComposite(composite)) {
      this.#tally.note(
        "Spans that an agent compressed by their kind alone are one span each: what each call was is not recorded.",
      );
      return [span];
    }
    const length = Math.min(Math.floor(count), callCountMax);
    if (length > this.#left) {
      this.#tally.note(
        `Spans that an agent compressed are told apart again up to ${fileCallCountMax} calls; the others are one span each.`,
      );
      return [span];
    }
    this.#left -= length;
    this.#tally.note(
      "Spans that an agent compressed are told apart again: each has the mean length, and no values of its own.",
    );
    const step = (endMicros - startMicros) / length;
    const mean = Math.min(step, ((numberOf(composite["sum"]) ?? 0) * 1e3) / count || step);
    const attributes: Attributes = { ...span.attributes, "db.query.parameter.each": hiddenValue };
    return Array.from({ length }, (_, index) => ({
      ...span,
      attributes,
      spanId: index === 0 ? span.spanId : derivedId(span.spanId, `call ${index}`),
      startMicros: startMicros + index * step,
      endMicros: startMicros + index * step + mean,
    }));
  }
}
