/** A choice among a few, each of them a link, so that the choice stands in the URL. */

import type { ReactNode } from "react";

export function Segments({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav
      aria-label={label}
      className="inline-flex h-8 items-center rounded-lg border border-line bg-sunken p-0.5"
    >
      {children}
    </nav>
  );
}

/** The look of one segment; a router link sets `aria-current` on the chosen one. */
export const segmentClass =
  "inline-flex h-full items-center rounded-md px-2.5 text-xs font-medium text-ink-2 tabular hover:text-ink aria-[current=page]:bg-surface aria-[current=page]:text-ink aria-[current=page]:shadow-panel";
