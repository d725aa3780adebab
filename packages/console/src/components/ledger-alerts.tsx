/** What of the ledger is loud: debt, refusals, budgets that are used up, credit that is about to expire. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import {
  balanceQuery,
  budgetsQuery,
  forecastsQuery,
  refusedCallsQuery,
} from "../api/ledger-queries.ts";
import { Amount } from "../ui/amount.tsx";
import { Notice } from "../ui/notice.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";
import { type LedgerAlarm, ledgerAlarms } from "../util/ledger-alarms.ts";
import { paths } from "../util/paths.ts";
import { formatDistance } from "../util/time.ts";
import { unreachable } from "../util/unreachable.ts";

/** More are counted, not listed. */
const shownCountMax = 5;
const linkClass = "font-medium underline underline-offset-2 hover:no-underline";

export function LedgerAlerts() {
  const balance = useQuery(balanceQuery);
  const refused = useQuery(refusedCallsQuery);
  const forecasts = useQuery(forecastsQuery);
  const budgets = useQuery(budgetsQuery);
  const hard = (budgets.data?.budgets ?? []).filter(({ isHard }) => isHard);
  const alarms = ledgerAlarms(
    {
      balance: balance.data,
      refused: refused.data,
      forecasts: forecasts.data?.forecasts ?? [],
      hardBudgetIds: new Set(hard.map(({ budgetId }) => budgetId)),
    },
    Date.now(),
  );
  if (alarms.length === 0) return null;
  return (
    <section aria-label="What needs attention" aria-live="polite" className="flex flex-col gap-2">
      {alarms.slice(0, shownCountMax).map((alarm, index) => (
        <Alarm key={`${alarm.kind}${index}`} alarm={alarm} />
      ))}
      {alarms.length > shownCountMax && (
        <p className="text-xs text-ink-3">
          and {plural(alarms.length - shownCountMax, "more notice")}
        </p>
      )}
    </section>
  );
}

function Alarm({ alarm }: { alarm: LedgerAlarm }): ReactNode {
  switch (alarm.kind) {
    case "debt-blocks":
      return (
        <Notice
          tone="bad"
          title={
            <>
              The {alarm.currency} account owes{" "}
              <Amount micros={alarm.debtMicros} currency={alarm.currency} />, and every call is
              refused
            </>
          }
        >
          A provider reported more than it was asked for. A grant covers debt before anything else:{" "}
          <Link {...paths.lots()} className={linkClass}>
            grant credit
          </Link>
          .
        </Notice>
      );
    case "debt-owed":
      return (
        <Notice
          tone="warn"
          title={
            <>
              The {alarm.currency} account is{" "}
              <Amount micros={alarm.debtMicros} currency={alarm.currency} /> into its credit line
            </>
          }
        >
          It may go as far as <Amount micros={alarm.limitMicros} currency={alarm.currency} />;
          beyond that calls are refused.
        </Notice>
      );
    case "account-closed":
      return (
        <Notice tone="warn" title={`The ${alarm.currency} account is closed`}>
          Nothing new is held in it; what is under way is settled as before.
        </Notice>
      );
    case "credit-gone":
      return (
        <Notice tone="bad" title={`Nothing is left in the ${alarm.currency} account`}>
          New calls are refused until credit comes in or comes back:{" "}
          <Link {...paths.lots()} className={linkClass}>
            grant credit
          </Link>
          .
        </Notice>
      );
    case "calls-refused":
      return <RefusedNotice refused={alarm.refused} />;
    case "budget-used-up":
      return (
        <Notice
          tone={alarm.isHard ? "bad" : "warn"}
          title={
            <>
              The budget “{alarm.forecast.budgetId}” is used up{alarm.isHard ? ", and refuses" : ""}
            </>
          }
        >
          All of <Amount micros={alarm.forecast.limitMicros} currency={alarm.forecast.currency} />{" "}
          is spent or held.{" "}
          <Link {...paths.budgets({ edit: alarm.forecast.budgetId })} className={linkClass}>
            Change the budget
          </Link>
        </Notice>
      );
    case "lot-expires":
      return (
        <Notice
          tone="warn"
          title={
            <>
              <Amount micros={alarm.remainingMicros} currency={alarm.currency} /> expire{" "}
              {formatDistance(new Date(alarm.expiresAt))}
            </>
          }
        >
          What is not used by <Time at={alarm.expiresAt} /> is lost.{" "}
          <Link {...paths.lots()} className={linkClass}>
            See the lots
          </Link>
        </Notice>
      );
    default:
      return unreachable(alarm);
  }
}

function RefusedNotice({
  refused,
}: {
  refused: Extract<LedgerAlarm, { kind: "calls-refused" }>["refused"];
}) {
  const [latest] = refused.calls;
  return (
    <Notice tone="bad" title={`${plural(refused.count, "call")} refused in the last 24 hours`}>
      {refused.byCode.map(({ code, count }) => `${code} × ${count}`).join(", ")}
      {latest !== undefined && (
        <details className="mt-1">
          <summary className="font-medium hover:underline">The newest ones</summary>
          <ul className="mt-1 flex flex-col gap-1">
            {refused.calls.slice(0, 10).map((call) => (
              <li key={`${call.traceId}${call.at}`} className="flex flex-wrap gap-x-2">
                <Time at={call.at} />
                <Link {...paths.trace(call.traceId)} className={linkClass}>
                  {call.model ?? "trace"}
                </Link>
                <span className="wrap-anywhere">{call.message}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Notice>
  );
}
