/** `/ledger/regions`: what the home of the account lent to other regions, how that stands, and calling it back. */

import type { RegionEscrow } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { useRecallEscrow } from "../api/ledger-mutations.ts";
import { escrowsQuery } from "../api/ledger-queries.ts";
import { useRefusal } from "../api/permission.ts";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { SelectField } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";
import { coarse } from "../util/time.ts";

/** A region that is not heard for longer is shown as silent. */
const silentSecondsMax = 60;
const durations = [
  { seconds: 600, name: "10 minutes" },
  { seconds: 3_600, name: "an hour" },
  { seconds: 86_400, name: "a day" },
] as const;

export function RegionsPage() {
  const escrows = useQuery(escrowsQuery);
  const refusal = useRefusal("ledger:write");
  const recall = useRecallEscrow();
  const [seconds, setSeconds] = useState<number>(durations[0].seconds);
  const rows = escrows.data?.escrows ?? [];
  return (
    <LedgerFrame
      title="Regions"
      lead="Credit of this account that other regions spend by themselves. It is held here until they have reported, however long they are cut off."
    >
      {recall.error !== null && <ErrorState error={recall.error} />}
      <Panel
        title="Escrows"
        note={escrows.data && plural(rows.length, "escrow")}
        actions={
          rows.length > 0 && (
            <SelectField
              label="How long"
              isLabelHidden
              value={String(seconds)}
              onChange={(event) => setSeconds(Number(event.target.value))}
            >
              {durations.map((one) => (
                <option key={one.seconds} value={one.seconds}>
                  {`Recall for ${one.name}`}
                </option>
              ))}
            </SelectField>
          )
        }
        flush
      >
        <QueryView query={escrows} loadingLabel="Loading the escrows">
          {(data) =>
            data.escrows.length === 0 ? (
              <EmptyState icon="check" title="No other region holds credit of this account">
                <p>
                  Where regions share the account, each that borrowed stands here, in the home of
                  the account.
                </p>
              </EmptyState>
            ) : (
              <DataTable
                caption="Escrows"
                columns={columnsOf((escrow) => (
                  <RecallButton
                    escrow={escrow}
                    isBusy={recall.isPending && recall.variables.region === escrow.region}
                    refusal={refusal}
                    onRecall={(durationSeconds) =>
                      recall.mutate({ region: escrow.region, durationSeconds })
                    }
                    seconds={seconds}
                  />
                ))}
                rows={data.escrows}
                rowKey={({ region, currency }) => `${region}/${currency}`}
              />
            )
          }
        </QueryView>
      </Panel>
    </LedgerFrame>
  );
}

function RecallButton(props: {
  escrow: RegionEscrow;
  isBusy: boolean;
  refusal: string | undefined;
  seconds: number;
  onRecall: (durationSeconds: number) => void;
}) {
  const { escrow, isBusy, refusal, seconds, onRecall } = props;
  const isRecalled = escrow.recalledUntil !== undefined;
  return (
    <Button
      busy={isBusy}
      busyLabel="Telling…"
      // As high as a line of the row.
      className="sm:-my-1.5"
      disabledReason={refusal}
      onClick={() => onRecall(isRecalled ? 0 : seconds)}
    >
      <span>
        {isRecalled ? "Lend again" : "Recall"}
        <span className="sr-only">{` ${isRecalled ? "to" : "from"} ${escrow.region}`}</span>
      </span>
    </Button>
  );
}

function columnsOf(action: (escrow: RegionEscrow) => ReactNode): readonly Column<RegionEscrow>[] {
  return [
    {
      header: "Region",
      rowHeader: true,
      width: "w-full",
      cell: ({ region }) => <span className="font-medium">{region}</span>,
    },
    { header: "State", cell: (escrow) => <EscrowState escrow={escrow} /> },
    {
      header: "Held for it",
      numeric: true,
      cell: (escrow) => <Amount micros={escrow.heldMicros} currency={escrow.currency} />,
    },
    {
      header: "Used so far",
      numeric: true,
      cell: (escrow) => <Amount micros={escrow.chargedMicros} currency={escrow.currency} />,
    },
    {
      header: "Last heard",
      cell: ({ silentSeconds }) => (
        <span className={silentSeconds > silentSecondsMax ? "text-bad" : "text-ink-2"}>
          {`${coarse(silentSeconds * 1_000)} ago`}
        </span>
      ),
    },
    { header: "Action", onCard: "broad", cell: action },
  ];
}

function EscrowState({ escrow }: { escrow: RegionEscrow }) {
  const { recalledUntil, isOverdue = false, silentSeconds } = escrow;
  if (recalledUntil !== undefined)
    return (
      <span className="flex flex-col items-start gap-1">
        <Badge tone={isOverdue ? "bad" : "warn"} icon={isOverdue ? "warning" : "clock"}>
          {isOverdue ? "overdue" : "recalled"}
        </Badge>
        <span className="text-xs text-ink-3">
          {isOverdue ? "since " : "until "}
          <Time at={recalledUntil} />
        </span>
      </span>
    );
  if (silentSeconds > silentSecondsMax)
    return (
      <Badge tone="warn" icon="warning">
        silent
      </Badge>
    );
  return (
    <Badge tone="good" icon="check">
      lent
    </Badge>
  );
}
