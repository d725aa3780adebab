/** Something that has to be seen before the rest of the page is read. */

import type { ReactNode } from "react";

import { Icon } from "./icon.tsx";

const tones = {
  bad: "border-bad/40 bg-bad-soft [&_svg]:text-bad",
  warn: "border-warn/40 bg-warn-soft [&_svg]:text-warn",
} as const;

export function Notice({
  tone,
  title,
  children,
}: {
  tone: keyof typeof tones;
  title: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={`flex gap-3 rounded-lg border px-3 py-2.5 text-sm ${tones[tone]}`}>
      <Icon name="warning" className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 flex-1">
        <p className="font-semibold text-ink">{title}</p>
        <div className="text-ink-2">{children}</div>
      </div>
    </div>
  );
}
