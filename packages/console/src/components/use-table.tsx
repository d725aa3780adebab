/** The uses of an operation: what each was, and what it cost. */

import type { OperationCost } from "@faultline/protocol";

import { Amount } from "../ui/amount.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Time } from "../ui/time.tsx";
import { formatCount } from "../util/format.ts";
import { shortHash } from "../util/spend-group.ts";

type Use = OperationCost["uses"][number];

export function UseTable({ uses }: { uses: readonly Use[] }) {
  const columns: readonly Column<Use>[] = [
    {
      header: "Use",
      rowHeader: true,
      width: "sm:min-w-44",
      cell: (use) => (
        <>
          <span className="font-medium wrap-anywhere">
            {use.details?.model ?? use.details?.deviceKind ?? use.usageId}
          </span>
          <span className="block text-xs text-ink-3">{use.details?.provider}</span>
        </>
      ),
    },
    {
      header: "What was used",
      width: "w-full sm:min-w-56",
      onCard: "broad",
      cell: (use) => <Quantities use={use} />,
    },
    {
      header: "Price",
      cell: (use) => (
        <span className="text-xs">
          {use.details?.priceVersion ?? "not said"}
          {use.details?.bundleHash !== undefined && (
            <span className="block text-ink-3" title={use.details.bundleHash}>
              bundle {shortHash(use.details.bundleHash)}
            </span>
          )}
        </span>
      ),
    },
    {
      header: "Charged",
      numeric: true,
      cell: (use) => (
        <span className="font-medium">
          <Amount micros={use.amountMicros} currency={use.currency} />
        </span>
      ),
    },
    { header: "At", cell: (use) => <Time at={use.at} /> },
  ];
  return <DataTable caption="Uses" columns={columns} rows={uses} rowKey={(use) => use.usageId} />;
}

function Quantities({ use }: { use: Use }) {
  const details = use.details ?? {};
  const lines = [
    ["input tokens", details.inputTokens],
    ["of them cached", details.cachedInputTokens],
    ["output tokens", details.outputTokens],
    ["of them reasoning", details.reasoningTokens],
    ["device seconds", details.deviceSeconds],
  ] as const;
  // A class of tokens of which there are none says nothing, save for the two that every call has.
  const shown = lines.filter(
    ([name, count]) => count !== undefined && (count > 0 || /^(in|out)put/.test(name)),
  );
  if (shown.length === 0) return <span className="text-ink-3">not said</span>;
  return (
    <dl className="grid max-w-64 grid-cols-[1fr_auto] gap-x-4 text-xs">
      {shown.map(([name, count]) => (
        <div key={name} className="contents">
          <dt className={name.startsWith("of") ? "pl-3 text-ink-3" : "text-ink-2"}>{name}</dt>
          <dd className="text-right tabular">{formatCount(count ?? 0)}</dd>
        </div>
      ))}
    </dl>
  );
}
