/** `/compute/:reservationId`: where a job stands and runs, or why it waits and what would let it start. */

import type { Reservation } from "@faultline/protocol";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useWithdrawReservation } from "../api/ledger-mutations.ts";
import { reservationQuery } from "../api/ledger-queries.ts";
import { useRefusal } from "../api/permission.ts";
import { sessionQuery } from "../api/queries.ts";
import { ReservationBadge } from "../components/reservation-badge.tsx";
import { Amount } from "../ui/amount.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { Facts } from "../ui/facts.tsx";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { remedyText, waitText } from "../util/compute-words.ts";
import { plural } from "../util/format.ts";
import { computeOperation } from "../util/operation-id.ts";
import { paths } from "../util/paths.ts";
import { coarse } from "../util/time.ts";

export function ReservationPage({ reservationId }: { reservationId: string }) {
  const query = useQuery(reservationQuery(reservationId));
  const refusal = useRefusal("compute:write");
  const withdraw = useWithdrawReservation();
  const { data: principal } = useSuspenseQuery(sessionQuery);
  const reservation = query.data;
  const isOpen = reservation !== undefined && reservation.stage !== "ended";
  return (
    <Page
      eyebrow={
        <Link {...paths.compute()} className="hover:text-ink hover:underline">
          Compute
        </Link>
      }
      title={reservationId}
      lead={reservation !== undefined && <ReservationBadge reservation={reservation} />}
      actions={
        <>
          {reservation?.startedAt !== undefined && (
            <Link
              {...paths.operation(computeOperation(principal.tenantId, reservationId))}
              className={buttonClass()}
            >
              <Icon name="credit" className="size-3.5" />
              What it cost
            </Link>
          )}
          {isOpen && (
            <Button
              busy={withdraw.isPending}
              busyLabel="Withdrawing…"
              disabledReason={refusal}
              onClick={() => withdraw.mutate(reservationId)}
            >
              Withdraw it
            </Button>
          )}
        </>
      }
    >
      {withdraw.error !== null && <ErrorState error={withdraw.error} />}
      <QueryView query={query} loadingLabel="Loading the reservation" skeletonRows={10}>
        {(data) => (
          <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
            <div className="flex min-w-0 flex-col gap-4">
              {data.stage === "waiting" && <Waiting reservation={data} />}
              {data.stage !== "waiting" && <Placement reservation={data} />}
            </div>
            <Panel title="What was asked for">
              <ReservationFacts reservation={data} />
            </Panel>
          </div>
        )}
      </QueryView>
    </Page>
  );
}

function Waiting({ reservation }: { reservation: Reservation }) {
  const { wait } = reservation;
  const now = new Date();
  if (wait === undefined) {
    return (
      <Panel title="Why it waits">
        <p className="text-sm text-ink-2">It was only just asked for; the next pass decides.</p>
      </Panel>
    );
  }
  const { title, text } = waitText(wait.binding, now);
  return (
    <Panel title="Why it waits">
      <div className="flex gap-3">
        <span className="grid size-9 shrink-0 place-items-center rounded-full bg-warn-soft text-warn">
          <Icon name="clock" className="size-5" />
        </span>
        <div className="min-w-0">
          <p className="text-base font-semibold">{title}</p>
          <p className="text-sm text-ink-2">{text}</p>
        </div>
      </div>
      <h3 className="mt-4 mb-1.5 text-xs font-semibold text-ink-2">What would let it start</h3>
      {wait.remedies.length === 0 ? (
        <p className="text-sm text-ink-3">No single change that Faultline knows of.</p>
      ) : (
        <ul className="flex flex-col gap-1.5 text-sm">
          {wait.remedies.map((remedy) => (
            <li key={JSON.stringify(remedy)} className="flex items-start gap-2">
              <Icon name="arrow" className="mt-1 size-3 text-accent" />
              <span>
                {remedyText(remedy, now)}{" "}
                {remedy.kind === "grant-credit" && (
                  <Link
                    {...paths.lots()}
                    className="font-medium text-accent underline underline-offset-2 hover:no-underline"
                  >
                    To the grants
                  </Link>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className="mt-3 text-xs text-ink-3">
        Each of these was tried out on a copy of the queue before it was said.
      </p>
    </Panel>
  );
}

function Placement({ reservation }: { reservation: Reservation }) {
  const { placement } = reservation;
  return (
    <Panel
      title="Where it runs"
      note={placement.length > 0 && plural(placement.length, "node")}
      flush={placement.length === 0}
    >
      {placement.length === 0 ? (
        <EmptyState
          icon="service"
          title={reservation.stage === "ended" ? "It runs nowhere any more" : "It has no place yet"}
        >
          <p>All its members start at once, in one region.</p>
        </EmptyState>
      ) : (
        <ul className="flex flex-wrap gap-2">
          {placement.map(({ nodeId, memberCount }) => (
            <li key={nodeId} className="rounded-lg border border-line bg-sunken px-3 py-2 text-sm">
              <span className="font-medium">{nodeId}</span>{" "}
              <span className="text-ink-3">{plural(memberCount, "member")}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function ReservationFacts({ reservation }: { reservation: Reservation }) {
  const { member, regions } = reservation;
  const moments = [
    ["Asked", reservation.submittedAt],
    ["Admitted", reservation.admittedAt],
    ["Started", reservation.startedAt],
    ["Last heard", reservation.heardAt],
    ["Used up", reservation.endsAt],
  ] as const;
  const rows: readonly (readonly [string, ReactNode])[] = [
    ["Members", `${reservation.memberCount} × ${plural(member.deviceCount, "device")}`],
    ["Kind of device", reservation.deviceKind],
    ...(member.cpuCores === undefined || member.cpuCores === 0
      ? []
      : [["Cores of each", String(member.cpuCores)] as const]),
    ...(member.memoryGigabytes === undefined || member.memoryGigabytes === 0
      ? []
      : [["Memory of each", `${member.memoryGigabytes} GB`] as const]),
    ["Regions", regions.length === 0 ? "any" : regions.join(", ")],
    ["Nodes", reservation.distinctNodes ? "one for each member" : "may be shared"],
    ...(reservation.antiAffinityGroup === undefined
      ? []
      : [["Apart from", `group ${reservation.antiAffinityGroup}`] as const]),
    ["Priority", String(reservation.priority)],
    ["Time", coarse(reservation.durationSeconds * 1_000)],
    ["Price of it all", <Amount micros={reservation.costMicros} currency={reservation.currency} />],
    ...moments.flatMap(([name, at]) =>
      at === undefined ? [] : [[name, <Time at={at} />] as const],
    ),
  ];
  return (
    <div className="text-sm">
      <Facts rows={rows} />
    </div>
  );
}
