/** Names and what they are, in two columns. */

import type { ReactNode } from "react";

export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-ink-3">{name}</dt>
          <dd className="text-right wrap-anywhere tabular">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
