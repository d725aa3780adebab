/** How much of a whole is taken, as a bar with a text for who cannot see it. */

import { shareOf } from "../util/money.ts";

const tones = { accent: "bg-accent", warn: "bg-warn", bad: "bg-bad" } as const;

export function ShareBar({
  label,
  part,
  whole,
  tone = "accent",
}: {
  label: string;
  part: bigint | string;
  whole: bigint | string;
  tone?: keyof typeof tones;
}) {
  const percent = shareOf(part, whole);
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
      className="h-1.5 w-full min-w-24 overflow-hidden rounded-full bg-line"
    >
      <div
        className={`h-full rounded-full ${tones[tone]}`}
        style={{ width: `${percent === 0 ? 0 : Math.max(1.5, percent)}%` }}
      />
    </div>
  );
}
