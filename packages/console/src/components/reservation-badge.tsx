/** Where a reservation stands. */

import type { Reservation } from "@faultline/protocol";

import { Badge, type Tone } from "../ui/badge.tsx";
import type { IconName } from "../ui/icon.tsx";

const stages = {
  waiting: { tone: "warn", icon: "clock" },
  reserving: { tone: "accent", icon: "clock" },
  reserved: { tone: "accent", icon: "check" },
  running: { tone: "good", icon: "arrow" },
} as const satisfies Record<Exclude<Reservation["stage"], "ended">, { tone: Tone; icon: IconName }>;

export function ReservationBadge({ reservation }: { reservation: Reservation }) {
  const { stage, end } = reservation;
  if (stage !== "ended") return <Badge {...stages[stage]}>{stage}</Badge>;
  const isGood = end === "completed";
  const isOwn = isGood || end === "withdrawn";
  return (
    <Badge tone={isGood ? "good" : isOwn ? "plain" : "bad"} icon={isOwn ? "check" : "warning"}>
      {end ?? "ended"}
    </Badge>
  );
}
