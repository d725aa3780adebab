/** `/ledger/entries`: every movement, newest first. */

import type { LedgerEntry } from "@faultline/protocol";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { balanceQuery, entriesQuery } from "../api/ledger-queries.ts";
import { EntryTable } from "../components/entry-table.tsx";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { LoadMore } from "../components/load-more.tsx";
import { Amount } from "../ui/amount.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { SelectField } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { formatCount } from "../util/format.ts";
import { currencyOfAccount } from "../util/ledger-account.ts";
import type { EntriesSearch } from "../util/ledger-search.ts";
import { downloads, paths } from "../util/paths.ts";

export function EntriesPage({ search }: { search: EntriesSearch }) {
  const list = useInfiniteQuery(entriesQuery(search.account));
  const entries: LedgerEntry[] = list.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <LedgerFrame
      title="Entries"
      lead="Each takes from one account what it gives to another. None is ever changed; a mistake is put right by another entry."
      actions={
        <a
          href={downloads.entries(search.account === undefined ? {} : { account: search.account })}
          download
          className={buttonClass()}
        >
          <Icon name="download" className="size-3.5" />
          Last 30 days as CSV
        </a>
      }
    >
      <Panel
        title={search.account ?? "All accounts"}
        note={
          list.data &&
          `${formatCount(entries.length)} shown${list.hasNextPage ? ", more below" : ""}`
        }
        actions={<AccountChoice account={search.account} />}
        flush
      >
        <QueryView query={list} loadingLabel="Loading the entries" skeletonRows={10}>
          {() =>
            entries.length === 0 ? (
              <EmptyState icon="document" title="Nothing has moved yet">
                <p>
                  {search.account === undefined ? (
                    <>
                      The first entry is a{" "}
                      <Link
                        {...paths.lots()}
                        className="font-medium text-accent underline underline-offset-2 hover:no-underline"
                      >
                        grant
                      </Link>
                      .
                    </>
                  ) : (
                    "This account has no entry. Choose another one."
                  )}
                </p>
              </EmptyState>
            ) : (
              <>
                <EntryTable caption="Entries" entries={entries} />
                <LoadMore label="Show older entries" list={list} />
              </>
            )
          }
        </QueryView>
      </Panel>
    </LedgerFrame>
  );
}

function AccountChoice({ account }: { account: string | undefined }) {
  const navigate = useNavigate();
  const balance = useQuery(balanceQuery);
  const balances = balance.data?.balances ?? [];
  const known = balances.find((one) => one.account === account);
  const names = balances.map((one) => one.account);
  return (
    <div className="flex items-center gap-3 max-sm:flex-wrap">
      {known !== undefined && (
        <span className="text-xs text-ink-2">
          balance{" "}
          <Amount micros={known.balanceMicros} currency={currencyOfAccount(known.account)} />
        </span>
      )}
      <SelectField
        label="Account"
        isLabelHidden
        value={account ?? ""}
        onChange={(event) => {
          const { value } = event.target;
          void navigate(paths.entries(value === "" ? {} : { account: value }));
        }}
      >
        <option value="">All accounts</option>
        {(account === undefined || names.includes(account) ? names : [account, ...names]).map(
          (name) => (
            <option key={name}>{name}</option>
          ),
        )}
      </SelectField>
    </div>
  );
}
