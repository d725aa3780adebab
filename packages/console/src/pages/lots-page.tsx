/** `/ledger/lots`: credit as it was granted, what is left of it, and when it expires. */

import type { LedgerLot } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { balanceQuery } from "../api/ledger-queries.ts";
import { useRefusal } from "../api/permission.ts";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { ShareBar } from "../components/share-bar.tsx";
import { GrantForm } from "../forms/grant-form.tsx";
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

/** Lots that expire sooner stand out. */
const soonMs = 3 * 86_400_000;

export function LotsPage() {
  const balance = useQuery(balanceQuery);
  const refusal = useRefusal("ledger:write");
  return (
    <LedgerFrame
      title="Lots"
      lead="Credit is used in this order: the lot that expires first, then the one of lower priority, then the older one."
    >
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
        <Panel
          title="Lots that something is left in"
          note={balance.data && plural(balance.data.lots.length, "lot")}
          flush
        >
          <QueryView query={balance} loadingLabel="Loading the lots">
            {(data) =>
              data.lots.length === 0 ? (
                <EmptyState icon="credit" title="No lot has anything left">
                  <p>
                    A grant makes one. What came in and went out before stands in the{" "}
                    <Link
                      {...paths.entries()}
                      className="font-medium text-accent underline underline-offset-2 hover:no-underline"
                    >
                      entries
                    </Link>
                    .
                  </p>
                </EmptyState>
              ) : (
                <LotTable lots={data.lots} />
              )
            }
          </QueryView>
        </Panel>
        <Panel title="Grant credit">
          <GrantForm currencies={["USD", "credits"]} disabledReason={refusal} />
        </Panel>
      </div>
    </LedgerFrame>
  );
}

function LotTable({ lots }: { lots: readonly LedgerLot[] }) {
  const columns: readonly Column<LedgerLot>[] = [
    {
      header: "Lot",
      rowHeader: true,
      width: "sm:min-w-56",
      cell: (lot) => <code className="font-mono text-xs wrap-anywhere">{lot.id}</code>,
    },
    {
      header: "Left",
      width: "w-full sm:min-w-44",
      onCard: "broad",
      cell: (lot) => (
        <div className="flex flex-col gap-1">
          <span>
            <span className="font-medium">
              <Amount micros={lot.remainingMicros} currency={lot.currency} />
            </span>{" "}
            <span className="text-ink-3">
              of <Amount micros={lot.grantedMicros} currency={lot.currency} />
            </span>
          </span>
          <ShareBar
            label={`Left of the lot ${lot.id}`}
            part={lot.remainingMicros}
            whole={lot.grantedMicros}
          />
        </div>
      ),
    },
    { header: "Expires", cell: (lot) => <Expiry at={lot.expiresAt} /> },
    { header: "Priority", numeric: true, cell: (lot) => String(lot.priority) },
    {
      header: "Granted",
      cell: (lot) => (
        <span className="text-ink-2">
          <Time at={lot.grantedAt} />
        </span>
      ),
    },
  ];
  return <DataTable caption="Lots" columns={columns} rows={lots} rowKey={(lot) => lot.id} />;
}

function Expiry({ at }: { at: string | undefined }) {
  if (at === undefined) return <span className="text-ink-3">never</span>;
  const moment = new Date(at);
  const leftMs = moment.getTime() - Date.now();
  return (
    <span className="inline-flex flex-col gap-0.5">
      {leftMs < soonMs ? (
        <Badge tone={leftMs <= 0 ? "bad" : "warn"} icon="clock">
          {leftMs <= 0 ? "expired" : formatDistance(moment)}
        </Badge>
      ) : (
        formatDistance(moment)
      )}
      <span className="text-xs text-ink-3">
        <Time at={at} />
      </span>
    </span>
  );
}
