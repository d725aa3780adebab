/** Entries of the ledger, and in words what each of them was. */

import type { LedgerEntry } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { Amount } from "../ui/amount.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Time } from "../ui/time.tsx";
import { currencyOfAccount, kindOfAccount } from "../util/ledger-account.ts";
import { isLease, operationOfUse } from "../util/operation-id.ts";
import { paths } from "../util/paths.ts";

const words: Readonly<Record<string, string>> = {
  granted: "granted",
  adjusted: "adjusted",
  converted: "converted",
  held: "held",
  charged: "charged",
  "charged-beyond-hold": "charged beyond the hold",
  released: "given back",
  "lot-expired": "expired",
  "debt-covered": "covered debt",
  "lease-lost": "lost with a worker",
  "journal-found": "found in a journal",
};

export function EntryTable({
  caption,
  entries,
}: {
  caption: string;
  entries: readonly LedgerEntry[];
}) {
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={entries}
      rowKey={(entry) => String(entry.sequence)}
    />
  );
}

const columns: readonly Column<LedgerEntry>[] = [
  {
    header: "At",
    cell: (entry) => (
      <span className="text-ink-2">
        <Time at={entry.at} />
      </span>
    ),
  },
  {
    header: "What",
    rowHeader: true,
    cell: (entry) => <span className="font-medium">{words[entry.reason] ?? entry.reason}</span>,
  },
  {
    header: "From → to",
    width: "w-full sm:min-w-52",
    cell: (entry) => (
      <span className="inline-flex flex-wrap items-center gap-x-1.5">
        <AccountName account={entry.from} />
        <span aria-label="to" role="img">
          →
        </span>
        <AccountName account={entry.to} />
      </span>
    ),
  },
  {
    header: "Amount",
    numeric: true,
    cell: (entry) => (
      <span className="font-medium">
        <Amount micros={entry.amountMicros} currency={currencyOfAccount(entry.from)} />
      </span>
    ),
  },
  { header: "For", onCard: "broad", cell: (entry) => <Subject entry={entry} /> },
  {
    header: "Entry",
    numeric: true,
    onCard: "absent",
    cell: (entry) => <span className="text-ink-3">{entry.sequence}</span>,
  },
];

function AccountName({ account }: { account: string }) {
  return (
    <Link
      {...paths.entries({ account })}
      title={account}
      className="hover:text-accent hover:underline"
    >
      {kindOfAccount(account)}
    </Link>
  );
}

function Subject({ entry }: { entry: LedgerEntry }) {
  const { usageId, holdId, lotId } = entry;
  const id = usageId ?? holdId;
  if (id === undefined || isLease(id)) {
    const text = id ?? (lotId === undefined ? entry.commandId : `lot ${lotId}`);
    return (
      <span className="block max-w-60 truncate font-mono text-xs text-ink-3" title={text}>
        {text}
      </span>
    );
  }
  return (
    <Link
      {...paths.operation(operationOfUse(id))}
      title={id}
      className="block max-w-60 truncate font-mono text-xs text-ink-2 hover:text-accent hover:underline"
    >
      {id}
    </Link>
  );
}
