/** A titled region of a page. */

import { type ReactNode, useId } from "react";

export function Panel({
  title,
  note,
  actions,
  children,
  flush = false,
}: {
  title: string;
  /** What stands beside the title: a count, a unit. */
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Whether the content reaches the edges, as a table does. */
  flush?: boolean;
}) {
  const titleId = useId();
  return (
    <section
      aria-labelledby={titleId}
      className="min-w-0 rounded-xl border border-line bg-surface shadow-panel"
    >
      <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2">
        <h2 id={titleId} className="text-sm font-semibold text-ink">
          {title}
        </h2>
        {note !== undefined && <div className="text-xs text-ink-3 tabular">{note}</div>}
        {actions !== undefined && <div className="ml-auto flex items-center gap-2">{actions}</div>}
      </header>
      <div className={flush ? "min-w-0 overflow-hidden rounded-b-xl" : "p-4"}>{children}</div>
    </section>
  );
}
