/** The frame of a page: its title, what can be done on it, its content. */

import type { ReactNode } from "react";

export function Page({
  title,
  eyebrow,
  lead,
  actions,
  children,
}: {
  title: string;
  eyebrow?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="mx-auto flex w-full max-w-[92rem] flex-col gap-4 px-4 py-5 sm:px-6">
      {/* React moves it into the head of the document. */}
      <title>{`${title} · Faultline`}</title>
      <header className="flex flex-wrap items-end gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          {eyebrow !== undefined && (
            <div className="mb-1 flex flex-wrap items-center gap-2 text-xs text-ink-3">
              {eyebrow}
            </div>
          )}
          <h1 className="text-xl font-semibold tracking-tight text-balance wrap-anywhere">
            {title}
          </h1>
          {lead !== undefined && <div className="mt-1 text-sm text-ink-2">{lead}</div>}
        </div>
        {actions !== undefined && (
          <div className="flex flex-wrap items-center gap-2">{actions}</div>
        )}
      </header>
      {children}
    </div>
  );
}
