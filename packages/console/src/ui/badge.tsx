/** A small state: a colour, an icon and a word, so that no state is told by colour alone. */

import type { ReactNode } from "react";

import { Icon, type IconName } from "./icon.tsx";

export type Tone = "good" | "bad" | "warn" | "accent" | "plain";

const tones: Readonly<Record<Tone, string>> = {
  good: "bg-good-soft text-good",
  bad: "bg-bad-soft text-bad",
  warn: "bg-warn-soft text-warn",
  accent: "bg-accent-soft text-accent",
  plain: "bg-sunken text-ink-2 ring-1 ring-inset ring-line",
};

export function Badge({
  tone,
  icon,
  children,
}: {
  tone: Tone;
  icon?: IconName;
  children: ReactNode;
}) {
  return (
    <span
      className={`inline-flex items-center gap-1 rounded-md px-1.5 py-0.5 text-xs font-medium whitespace-nowrap ${tones[tone]}`}
    >
      {icon !== undefined && <Icon name={icon} className="size-3" />}
      {children}
    </span>
  );
}
