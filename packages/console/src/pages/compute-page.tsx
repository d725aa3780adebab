/** `/compute`: reservations of devices, those that are open first. */

import type { Reservation } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { reservationsQuery } from "../api/ledger-queries.ts";
import { ReservationBadge } from "../components/reservation-badge.tsx";
import { Amount } from "../ui/amount.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { coarse, formatDistance } from "../util/time.ts";

export function ComputePage() {
  const list = useQuery(reservationsQuery);
  const waiting = list.data?.reservations.filter(({ stage }) => stage === "waiting").length ?? 0;
  return (
    <Page
      title="Compute"
      lead="Jobs on devices. A job starts when credit, quota and capacity allow it, all of it at once."
    >
      <Panel
        title="Reservations"
        note={
          list.data &&
          `${plural(list.data.reservations.length, "reservation")}${waiting === 0 ? "" : `, ${waiting} waiting`}`
        }
        flush
      >
        <QueryView query={list} loadingLabel="Loading the reservations" skeletonRows={8}>
          {({ reservations }) =>
            reservations.length === 0 ? (
              <NoReservation />
            ) : (
              <DataTable
                caption="Reservations"
                columns={columns}
                rows={reservations}
                rowKey={(one) => one.id}
              />
            )
          }
        </QueryView>
      </Panel>
    </Page>
  );
}

const columns: readonly Column<Reservation>[] = [
  {
    header: "Job",
    rowHeader: true,
    width: "w-full sm:min-w-44",
    cell: (one) => (
      <Link
        {...paths.reservation(one.id)}
        className="font-medium wrap-anywhere text-ink hover:text-accent hover:underline"
      >
        {one.id}
      </Link>
    ),
  },
  {
    header: "Stage",
    cell: (one) => (
      <span className="inline-flex items-center gap-2">
        <ReservationBadge reservation={one} />
        {one.stage === "waiting" && (
          <Link
            {...paths.reservation(one.id)}
            aria-label={`Why does ${one.id} wait?`}
            className="text-xs text-accent hover:underline"
          >
            why?
          </Link>
        )}
      </span>
    ),
  },
  {
    header: "Devices",
    cell: (one) => (
      <>
        {one.memberCount} × {one.member.deviceCount}{" "}
        <span className="text-ink-2">{one.deviceKind}</span>
      </>
    ),
  },
  { header: "For", numeric: true, cell: (one) => coarse(one.durationSeconds * 1_000) },
  { header: "Priority", numeric: true, cell: (one) => String(one.priority) },
  {
    header: "Price",
    numeric: true,
    cell: (one) => <Amount micros={one.costMicros} currency={one.currency} />,
  },
  { header: "Where and until when", onCard: "broad", cell: (one) => <Place reservation={one} /> },
  {
    header: "Asked",
    cell: (one) => (
      <span className="text-ink-2">
        <Time at={one.submittedAt} />
      </span>
    ),
  },
];

function Place({ reservation }: { reservation: Reservation }) {
  const { placement, endsAt } = reservation;
  if (placement.length === 0) return <span className="text-ink-3">nowhere yet</span>;
  return (
    <span className="text-ink-2">
      {placement.map(({ nodeId }) => nodeId).join(", ")}
      {endsAt !== undefined && (
        <span className="block text-xs text-ink-3">ends {formatDistance(new Date(endsAt))}</span>
      )}
    </span>
  );
}

function NoReservation() {
  const { origin } = window.location;
  return (
    <EmptyState icon="service" title="Nothing was reserved yet">
      <p>
        Devices and their prices stand in the configuration under <code>compute</code>. A job asks
        for devices and a time, and waits until credit, quota and capacity allow it.
      </p>
      <CommandLine
        label="Reserve eight devices for two hours"
        lines={[
          `curl -X POST ${origin}/api/reservations \\`,
          `  -H "authorization: Bearer $FAULTLINE_KEY" -H "content-type: application/json" \\`,
          `  -d '{"id":"train-7","deviceKind":"h100","memberCount":2,"member":{"deviceCount":4},"durationSeconds":7200}'`,
        ]}
      />
    </EmptyState>
  );
}
