/** `/ledger/operations/:operationId`: what an operation cost, line by line. */

import { type OperationCost, PlatformError } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { operationQuery, operationTraceQuery, useKeyNames } from "../api/ledger-queries.ts";
import { EntryTable } from "../components/entry-table.tsx";
import { UseTable } from "../components/use-table.tsx";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Figure } from "../ui/figure.tsx";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { plural } from "../util/format.ts";
import { currencyOfAccount } from "../util/ledger-account.ts";
import { paths } from "../util/paths.ts";

export function OperationPage({ operationId }: { operationId: string }) {
  const query = useQuery(operationQuery(operationId));
  const trace = useQuery(operationTraceQuery(operationId));
  const isUnknown = query.error instanceof PlatformError && query.error.code === "not_found";
  return (
    <Page
      eyebrow={
        <>
          <Link {...paths.ledger()} className="hover:text-ink hover:underline">
            Ledger
          </Link>
          <span aria-hidden="true">/</span>
          <Link {...paths.entries()} className="hover:text-ink hover:underline">
            Entries
          </Link>
        </>
      }
      title="What an operation cost"
      lead={<code className="font-mono text-xs wrap-anywhere">{operationId}</code>}
      actions={
        trace.data !== undefined && (
          <Link
            {...paths.trace(trace.data.traceId, { span: trace.data.spanId })}
            className={buttonClass()}
          >
            <Icon name="fold" className="size-3.5" />
            Its trace
          </Link>
        )
      }
    >
      {isUnknown ? (
        <Panel title="No charge">
          <EmptyState icon="question" title="The ledger knows no such operation">
            <p>
              It was free (a model without a price, an answer from the cache), the tenant had no
              account, or its worker has not reported it yet. Reports come within seconds.
            </p>
          </EmptyState>
        </Panel>
      ) : (
        <QueryView query={query} loadingLabel="Loading what it cost" skeletonRows={10}>
          {(cost) => <Cost cost={cost} />}
        </QueryView>
      )}
    </Page>
  );
}

function Cost({ cost }: { cost: OperationCost }) {
  const currency =
    cost.holds[0]?.currency ?? currencyOfAccount(cost.entries[0]?.from ?? "credit/USD");
  const heldMicros = cost.holds.reduce((sum, hold) => sum + BigInt(hold.heldMicros), 0n);
  const beyond = cost.entries.filter((entry) => entry.reason === "charged-beyond-hold");
  const beyondMicros = beyond.reduce((sum, entry) => sum + BigInt(entry.amountMicros), 0n);
  return (
    <>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 rounded-xl border border-line bg-surface p-4 shadow-panel sm:grid-cols-4">
        <Figure label="Charged" note={plural(cost.uses.length, "use")}>
          {cost.charged.length === 0
            ? "–"
            : cost.charged.map((one) => (
                <span key={one.currency} className="block">
                  <Amount micros={one.amountMicros} currency={one.currency} />
                </span>
              ))}
        </Figure>
        <Figure
          label="Held for it"
          note={
            cost.holds.length === 0
              ? "out of a worker's lease"
              : cost.holds.map(({ state }) => state).join(", ")
          }
        >
          {cost.holds.length === 0 ? "–" : <Amount micros={heldMicros} currency={currency} />}
        </Figure>
        <Figure label="Beyond its hold" note="as a provider reported it">
          <span className={beyondMicros > 0n ? "text-bad" : ""}>
            <Amount micros={beyondMicros} currency={currency} />
          </span>
        </Figure>
        <Figure label="For">
          <span className="text-sm font-normal tracking-normal">
            <Attribution cost={cost} />
          </span>
        </Figure>
      </dl>
      <Panel title="Uses" note="one for each attempt that was at work" flush>
        {cost.uses.length === 0 ? (
          <EmptyState icon="clock" title="Nothing was used yet">
            <p>Its hold is open, or ended without a use.</p>
          </EmptyState>
        ) : (
          <UseTable uses={cost.uses} />
        )}
      </Panel>
      <Panel title="Entries" note="in the order in which they were made" flush>
        {cost.entries.length === 0 ? (
          <EmptyState icon="document" title="Nothing moved">
            <p>The operation was free.</p>
          </EmptyState>
        ) : (
          <EntryTable caption="Entries of the operation" entries={cost.entries} />
        )}
      </Panel>
    </>
  );
}

/** Whom it was for, as its hold or its uses say. */
function Attribution({ cost }: { cost: OperationCost }) {
  const keyNames = useKeyNames();
  const details = cost.uses[0]?.details;
  const held = cost.holds[0]?.attribution;
  const keyId = held?.keyId ?? details?.keyId;
  const userId = held?.userId ?? details?.userId;
  const tags = held?.tags ?? details?.tags ?? [];
  if (keyId === undefined && userId === undefined && tags.length === 0)
    return <span className="text-ink-3">not said</span>;
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      {keyId !== undefined && (
        <span className="wrap-anywhere">
          <span className="text-ink-3">key</span> {keyNames.get(keyId) ?? keyId}
        </span>
      )}
      {userId !== undefined && (
        <span className="wrap-anywhere">
          <span className="text-ink-3">user</span> {userId}
        </span>
      )}
      {tags.map((tag) => (
        <Badge key={tag} tone="plain">
          {tag}
        </Badge>
      ))}
    </span>
  );
}
