/** The choice of a window and, where a tenant has accounts in more than one, of a currency; both stand in the URL. */

import { Link } from "@tanstack/react-router";

import { Segments, segmentClass } from "../ui/segments.tsx";
import { type LedgerSearch, ledgerWindows } from "../util/ledger-search.ts";
import type { Currency } from "../util/money.ts";
import type { paths } from "../util/paths.ts";

type SeriesLink = ReturnType<(typeof paths)["ledger" | "spend"]>;

export function WindowSegments({
  search,
  currencies,
  linkTo,
}: {
  /** What is chosen. */
  search: Required<LedgerSearch>;
  currencies: readonly Currency[];
  linkTo: (change: LedgerSearch) => SeriesLink;
}) {
  return (
    <>
      {currencies.length > 1 && (
        <Segments label="Currency">
          {currencies.map((currency) => (
            <Link
              key={currency}
              {...linkTo({ currency })}
              activeProps={{}}
              aria-current={currency === search.currency ? "page" : undefined}
              className={segmentClass}
            >
              {currency}
            </Link>
          ))}
        </Segments>
      )}
      <Segments label="Time window">
        {ledgerWindows.map((window) => (
          <Link
            key={window}
            {...linkTo({ window })}
            activeProps={{}}
            aria-current={window === search.window ? "page" : undefined}
            className={segmentClass}
          >
            {window}
          </Link>
        ))}
      </Segments>
    </>
  );
}
