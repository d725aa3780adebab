/** One figure that a page is about: its name, its value large, and what belongs to it small. */

import type { ReactNode } from "react";

export function Figure({
  label,
  children,
  note,
}: {
  label: string;
  children: ReactNode;
  note?: ReactNode;
}) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{label}</dt>
      <dd className="text-xl font-semibold tracking-tight tabular">{children}</dd>
      {note !== undefined && <dd className="text-xs text-ink-3">{note}</dd>}
    </div>
  );
}
