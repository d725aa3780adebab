/** A moment: in the reader's zone, with UTC on hover. */

import { formatLocal, formatUtc } from "../util/time.ts";

export function Time({ at }: { at: string }) {
  const moment = new Date(at);
  return (
    <time dateTime={at} title={formatUtc(moment)} className="whitespace-nowrap tabular">
      {formatLocal(moment)}
    </time>
  );
}
