/** What stands where nothing is yet: why, and what to do about it. */

import type { ReactNode } from "react";

import { Icon, type IconName } from "./icon.tsx";

export function EmptyState({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-4 py-10 text-center">
      <span className="grid size-10 place-items-center rounded-full bg-accent-soft text-accent">
        <Icon name={icon} className="size-5" />
      </span>
      <p className="text-base font-semibold">{title}</p>
      <div className="flex w-full min-w-0 flex-col gap-3 text-sm text-ink-2">{children}</div>
    </div>
  );
}
