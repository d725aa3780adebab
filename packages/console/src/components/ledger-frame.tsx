/** What all pages of the ledger share: the way to the others, and what is loud on each of them. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Page } from "../ui/page.tsx";
import { paths } from "../util/paths.ts";
import { LedgerAlerts } from "./ledger-alerts.tsx";

const tabClass =
  "relative inline-flex h-9 items-center px-3 text-sm font-medium whitespace-nowrap text-ink-2 hover:text-ink aria-[current=page]:text-ink aria-[current=page]:after:absolute aria-[current=page]:after:inset-x-3 aria-[current=page]:after:bottom-0 aria-[current=page]:after:h-0.5 aria-[current=page]:after:rounded-full aria-[current=page]:after:bg-accent";

export function LedgerFrame({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  lead: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Page title={title} eyebrow={<span>Ledger</span>} lead={lead} actions={actions}>
      <nav aria-label="Ledger" className="flex flex-wrap border-b border-line">
        <Link
          {...paths.ledger()}
          activeOptions={{ exact: true, includeSearch: false }}
          className={tabClass}
        >
          Credit
        </Link>
        <Tab to={paths.spend()}>Spend</Tab>
        <Tab to={paths.budgets()}>Budgets</Tab>
        <Tab to={paths.lots()}>Lots</Tab>
        <Tab to={paths.holds()}>Holds and leases</Tab>
        <Tab to={paths.entries()}>Entries</Tab>
        <Tab to={paths.reconciliation()}>Reconciliation</Tab>
        <Tab to={paths.providerCosts()}>Provider costs</Tab>
        <Tab to={paths.regions()}>Regions</Tab>
      </nav>
      <LedgerAlerts />
      {children}
    </Page>
  );
}

type TabLink = ReturnType<
  (typeof paths)[
    | "spend"
    | "budgets"
    | "lots"
    | "holds"
    | "entries"
    | "reconciliation"
    | "providerCosts"
    | "regions"]
>;

function Tab({ to, children }: { to: TabLink; children: string }) {
  return (
    <Link {...to} activeOptions={{ includeSearch: false }} className={tabClass}>
      {children}
    </Link>
  );
}
