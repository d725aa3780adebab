/** An amount of money: in units with its currency, and on hover to the last micro. */

import { type Currency, formatExact, formatMicros } from "../util/money.ts";

export function Amount({ micros, currency }: { micros: bigint | string; currency: Currency }) {
  return (
    <data
      value={String(micros)}
      title={formatExact(micros, currency)}
      className="whitespace-nowrap tabular"
    >
      {formatMicros(micros, currency)}
    </data>
  );
}
