/** The time that an invoice is for. */

import { timeOfText } from "../readers/time-text.ts";
import type { Books } from "./books.ts";

export interface InvoicePeriod {
  readonly fromMicros: number;
  /** The first moment that is not in it. */
  readonly untilMicros: number;
}

/** As the lines of the invoice say it, if they all say the same, else as an option does: two moments with a stroke. */
export function periodOf({ invoice = [] }: Books, option: string): InvoicePeriod | undefined {
  const [first] = invoice;
  if (first?.fromMicros === undefined || first.untilMicros === undefined)
    return parsePeriod(option);
  const { fromMicros, untilMicros } = first;
  const areEqual = invoice.every(
    (line) => line.fromMicros === fromMicros && line.untilMicros === untilMicros,
  );
  return areEqual ? { fromMicros, untilMicros } : undefined;
}

function parsePeriod(text: string): InvoicePeriod | undefined {
  const [from, until, ...rest] = text.split("/").map(timeOfText);
  if (from === undefined || until === undefined || rest.length > 0 || from >= until)
    return undefined;
  return { fromMicros: from, untilMicros: until };
}
