/** What happened in a case, in order; nothing here is ever changed. */

import type { CaseEvent } from "@faultline/protocol";

import { Time } from "../ui/time.tsx";

export function CaseTimeline({ events }: { events: readonly CaseEvent[] }) {
  return (
    <ol className="flex flex-col">
      {events.map((event) => (
        <li key={event.sequence} className="group relative pb-4 pl-5 last:pb-0">
          <span
            aria-hidden="true"
            className="absolute top-2 bottom-[-8px] left-[3px] w-px bg-line group-last:hidden"
          />
          <span
            aria-hidden="true"
            className="absolute top-1.5 left-0 size-[7px] rounded-full bg-accent ring-2 ring-surface"
          />
          <p className="flex flex-wrap items-baseline gap-x-2 text-xs text-ink-3">
            <span className="font-mono text-ink-2">{event.kind}</span>
            <Time at={event.at} />
            <span>{event.actor}</span>
          </p>
          <p className="text-sm wrap-anywhere">{event.summary}</p>
        </li>
      ))}
    </ol>
  );
}
