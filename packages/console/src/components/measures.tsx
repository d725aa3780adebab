/** The facts behind a verdict, small and side by side. */

import type { Finding } from "@faultline/contracts";

import { formatCount } from "../util/format.ts";

export function Measures({ measures }: { measures: Finding["measures"] }) {
  const entries = Object.entries(measures);
  if (entries.length === 0) return null;
  return (
    <details className="text-xs">
      <summary className="text-ink-2 hover:text-ink">
        Measures <span className="text-ink-3">({entries.length})</span>
      </summary>
      <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 rounded-lg bg-sunken px-3 py-2 font-mono">
        {entries.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="wrap-anywhere">
              {typeof value === "number" && Number.isInteger(value)
                ? formatCount(value)
                : String(value)}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
