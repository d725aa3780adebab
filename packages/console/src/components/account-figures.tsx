/** An account in figures. */

import type { LedgerAccount, LedgerBalance } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { Figure } from "../ui/figure.tsx";
import { plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";

export function AccountFigures({
  account,
  balance,
}: {
  account: LedgerAccount;
  balance: LedgerBalance;
}) {
  const { currency } = account;
  const money = (micros: string) => <Amount micros={micros} currency={currency} />;
  const leases = balance.leases.filter((lease) => lease.currency === currency).length;
  const lots = balance.lots.filter((lot) => lot.currency === currency).length;
  const owes = BigInt(account.debtMicros) > 0n;
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-4 rounded-xl border border-line bg-surface p-4 shadow-panel sm:grid-cols-3 lg:grid-cols-5">
      <Figure
        label="Can be spent now"
        note={
          account.isOpen ? (
            "the account is open"
          ) : (
            <Badge tone="warn" icon="warning">
              closed
            </Badge>
          )
        }
      >
        {money(account.availableMicros)}
      </Figure>
      <Figure
        label="Credit"
        note={
          <Link {...paths.lots()} className="hover:text-ink hover:underline">
            in {plural(lots, "lot")}
          </Link>
        }
      >
        {money(account.creditMicros)}
      </Figure>
      <Figure
        label="Held"
        note={
          <Link {...paths.holds()} className="hover:text-ink hover:underline">
            {plural(balance.openHoldCount, "hold")}, {plural(leases, "lease")}
          </Link>
        }
      >
        {money(account.heldMicros)}
      </Figure>
      <Figure label="Owed" note={<>credit line {money(account.limitMicros)}</>}>
        <span className={owes ? "text-bad" : ""}>{money(account.debtMicros)}</span>
      </Figure>
      <Figure
        label="Used in all"
        note={
          <Link {...paths.spend({ currency })} className="hover:text-ink hover:underline">
            by model, key, user, tag
          </Link>
        }
      >
        {money(account.usedMicros)}
      </Figure>
    </dl>
  );
}
