/** `/ledger/holds`: credit that is reserved, for operations under way and for gateway workers. */

import type { LedgerBalance, LedgerHold } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { balanceQuery, holdsQuery, useKeyNames } from "../api/ledger-queries.ts";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { formatDistance } from "../util/time.ts";

export function HoldsPage() {
  const holds = useQuery(holdsQuery);
  const balance = useQuery(balanceQuery);
  return (
    <LedgerFrame
      title="Holds and leases"
      lead="A hold reserves the highest possible cost of one operation. A lease lends credit to a gateway worker for many."
    >
      <Panel
        title="Leases of gateway workers"
        note={balance.data && plural(balance.data.leases.length, "lease")}
        flush
      >
        <QueryView query={balance} loadingLabel="Loading the leases">
          {({ leases }) =>
            leases.length === 0 ? (
              <EmptyState icon="clock" title="No worker has credit on loan">
                <p>
                  A worker borrows when the first paid call comes, and gives back what lies idle.
                </p>
              </EmptyState>
            ) : (
              <DataTable
                caption="Leases"
                columns={leaseColumns}
                rows={leases}
                rowKey={(lease) => lease.id}
              />
            )
          }
        </QueryView>
      </Panel>
      <Panel title="Open holds" note={holds.data && plural(holds.data.holds.length, "hold")} flush>
        <QueryView query={holds} loadingLabel="Loading the holds">
          {(data) =>
            data.holds.length === 0 ? (
              <EmptyState icon="check" title="Nothing is held for a single operation">
                <p>
                  Most model calls are admitted out of a lease. A hold of its own is placed near
                  zero, for compute, and by who asks over the API.
                </p>
              </EmptyState>
            ) : (
              <HoldTable holds={data.holds} />
            )
          }
        </QueryView>
      </Panel>
    </LedgerFrame>
  );
}

const leaseColumns: readonly Column<LedgerBalance["leases"][number]>[] = [
  {
    header: "Worker",
    rowHeader: true,
    width: "w-full",
    cell: (lease) => (
      <span className="font-medium">
        {lease.workerId}
        <code className="block font-mono text-xs font-normal wrap-anywhere text-ink-3">
          {lease.id}
        </code>
      </span>
    ),
  },
  {
    header: "On loan",
    numeric: true,
    cell: (lease) => <Amount micros={lease.remainingMicros} currency={lease.currency} />,
  },
  { header: "Deadline", cell: (lease) => <Deadline at={lease.deadlineAt} overdue="overdue" /> },
];

function HoldTable({ holds }: { holds: readonly LedgerHold[] }) {
  const keyNames = useKeyNames();
  const columns: readonly Column<LedgerHold>[] = [
    {
      header: "Hold",
      rowHeader: true,
      width: "w-full sm:min-w-52",
      cell: (hold) => (
        <Link
          {...paths.operation(hold.id)}
          className="font-mono text-xs wrap-anywhere text-ink hover:text-accent hover:underline"
        >
          {hold.id}
        </Link>
      ),
    },
    {
      header: "Held",
      numeric: true,
      cell: (hold) => (
        <span className="font-medium">
          <Amount micros={hold.remainingMicros} currency={hold.currency} />
        </span>
      ),
    },
    {
      header: "Charged",
      numeric: true,
      cell: (hold) => <Amount micros={hold.chargedMicros} currency={hold.currency} />,
    },
    {
      header: "For",
      width: "sm:min-w-40",
      onCard: "broad",
      cell: (hold) => <Attribution hold={hold} keyNames={keyNames} />,
    },
    { header: "Placed", cell: (hold) => <Time at={hold.placedAt} /> },
    { header: "Ends", cell: (hold) => <Deadline at={hold.expiresAt} overdue="past its end" /> },
  ];
  return (
    <DataTable caption="Open holds" columns={columns} rows={holds} rowKey={(hold) => hold.id} />
  );
}

function Attribution(props: { hold: LedgerHold; keyNames: ReadonlyMap<string, string> }) {
  const { keyId, userId, model, tags = [] } = props.hold.attribution;
  const parts = [
    ["model", model],
    ["key", keyId === undefined ? undefined : (props.keyNames.get(keyId) ?? keyId)],
    ["user", userId],
    ["tags", tags.length === 0 ? undefined : tags.join(", ")],
  ].filter(([, value]) => value !== undefined);
  if (parts.length === 0) return <span className="text-ink-3">not said</span>;
  return (
    <span className="flex flex-wrap gap-x-3 text-xs">
      {parts.map(([name, value]) => (
        <span key={name} className="wrap-anywhere">
          <span className="text-ink-3">{name}</span> {value}
        </span>
      ))}
    </span>
  );
}

function Deadline({ at, overdue }: { at: string; overdue: string }) {
  const moment = new Date(at);
  if (moment.getTime() < Date.now()) {
    return (
      <Badge tone="warn" icon="clock">
        {overdue}
      </Badge>
    );
  }
  return <span title={at}>{formatDistance(moment)}</span>;
}
