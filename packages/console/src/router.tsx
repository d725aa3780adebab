/** The routes: one page each, the URL's parameters read once, here. */

import { PlatformError } from "@faultline/protocol";
import type { QueryClient } from "@tanstack/react-query";
import {
  Outlet,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  redirect,
  useRouter,
} from "@tanstack/react-router";

import { sessionQuery } from "./api/queries.ts";
import { AppShell } from "./components/app-shell.tsx";
import { OpenShell } from "./components/open-shell.tsx";
import { CasePage } from "./pages/case-page.tsx";
import { BudgetsPage } from "./pages/budgets-page.tsx";
import { CasesPage } from "./pages/cases-page.tsx";
import { CheckPage } from "./pages/check-page.tsx";
import { ComputePage } from "./pages/compute-page.tsx";
import { EntriesPage } from "./pages/entries-page.tsx";
import { HoldsPage } from "./pages/holds-page.tsx";
import { LedgerPage } from "./pages/ledger-page.tsx";
import { LotsPage } from "./pages/lots-page.tsx";
import { MissingPage } from "./pages/missing-page.tsx";
import { OpenCasePage } from "./pages/open-case-page.tsx";
import { OperationPage } from "./pages/operation-page.tsx";
import { OverviewPage } from "./pages/overview-page.tsx";
import { ProviderCostsPage } from "./pages/provider-costs-page.tsx";
import { ReconciliationPage } from "./pages/reconciliation-page.tsx";
import { ReconciliationRunPage } from "./pages/reconciliation-run-page.tsx";
import { RegionsPage } from "./pages/regions-page.tsx";
import { ReservationPage } from "./pages/reservation-page.tsx";
import { SignInPage } from "./pages/sign-in-page.tsx";
import { SpendPage } from "./pages/spend-page.tsx";
import { TracePage } from "./pages/trace-page.tsx";
import { TracesPage } from "./pages/traces-page.tsx";
import { ErrorState } from "./ui/error-state.tsx";
import { Skeleton } from "./ui/skeleton.tsx";
import {
  readBudgetsSearch,
  readEntriesSearch,
  readLedgerSearch,
  readSpendSearch,
} from "./util/ledger-search.ts";
import { paths } from "./util/paths.ts";
import {
  readCasesSearch,
  readOpenCaseSearch,
  readOverviewSearch,
  readSignInSearch,
  readTraceFilters,
  readTraceSearch,
} from "./util/search.ts";

interface RouterContext {
  readonly queries: QueryClient;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: MissingPage,
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: readSignInSearch,
  component: () => <SignInPage {...signInRoute.useSearch()} />,
});

/** Everything that needs a session: without one, the way leads to the sign-in and back. */
const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "session",
  beforeLoad: async ({ context, location }) => {
    try {
      return { principal: await context.queries.ensureQueryData(sessionQuery) };
    } catch (error) {
      if (error instanceof PlatformError && error.row.status === 401) {
        throw redirect(paths.signIn(location.href === "/" ? undefined : location.href));
      }
      throw error;
    }
  },
  component: () => <AppShell principal={sessionRoute.useRouteContext().principal} />,
});

/** What a browser does alone: with a session it stands among the other pages, and it needs none, nor a server that answers. */
const openRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "open",
  beforeLoad: async ({ context }) => ({
    principal: await context.queries.ensureQueryData(sessionQuery).catch(() => undefined),
  }),
  component: () => {
    const { principal } = openRoute.useRouteContext();
    return principal === undefined ? <OpenShell /> : <AppShell principal={principal} />;
  },
});

const checkRoute = createRoute({
  getParentRoute: () => openRoute,
  path: "/check",
  component: CheckPage,
});

const overviewRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/",
  validateSearch: readOverviewSearch,
  component: () => <OverviewPage window={overviewRoute.useSearch().window ?? "1h"} />,
});

const tracesRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/traces",
  validateSearch: readTraceFilters,
  component: () => <TracesPage filters={tracesRoute.useSearch()} />,
});

const traceRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/traces/$traceId",
  validateSearch: readTraceSearch,
  component: () => (
    <TracePage traceId={traceRoute.useParams().traceId} span={traceRoute.useSearch().span} />
  ),
});

const casesRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/cases",
  validateSearch: readCasesSearch,
  component: () => <CasesPage search={casesRoute.useSearch()} />,
});

const openCaseRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/cases/new",
  validateSearch: readOpenCaseSearch,
  component: () => <OpenCasePage start={openCaseRoute.useSearch()} />,
});

const caseRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/cases/$caseNumber",
  component: () => <CasePage caseNumber={caseRoute.useParams().caseNumber} />,
});

const ledgerRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger",
  validateSearch: readLedgerSearch,
  component: () => <LedgerPage search={ledgerRoute.useSearch()} />,
});

const spendRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/spend",
  validateSearch: readSpendSearch,
  component: () => <SpendPage search={spendRoute.useSearch()} />,
});

const budgetsRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/budgets",
  validateSearch: readBudgetsSearch,
  component: () => <BudgetsPage search={budgetsRoute.useSearch()} />,
});

const lotsRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/lots",
  component: LotsPage,
});

const holdsRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/holds",
  component: HoldsPage,
});

const entriesRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/entries",
  validateSearch: readEntriesSearch,
  component: () => <EntriesPage search={entriesRoute.useSearch()} />,
});

const reconciliationRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/reconciliation",
  component: ReconciliationPage,
});

const reconciliationRunRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/reconciliation/$runId",
  component: () => <ReconciliationRunPage runId={reconciliationRunRoute.useParams().runId} />,
});

const providerCostsRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/provider-costs",
  component: ProviderCostsPage,
});

const regionsRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/regions",
  component: RegionsPage,
});

const operationRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/ledger/operations/$operationId",
  component: () => <OperationPage operationId={operationRoute.useParams().operationId} />,
});

const computeRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/compute",
  component: ComputePage,
});

const reservationRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: "/compute/$reservationId",
  component: () => <ReservationPage reservationId={reservationRoute.useParams().reservationId} />,
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  openRoute.addChildren([checkRoute]),
  sessionRoute.addChildren([
    overviewRoute,
    tracesRoute,
    traceRoute,
    casesRoute,
    openCaseRoute,
    caseRoute,
    ledgerRoute,
    spendRoute,
    budgetsRoute,
    lotsRoute,
    holdsRoute,
    entriesRoute,
    reconciliationRoute,
    reconciliationRunRoute,
    providerCostsRoute,
    regionsRoute,
    operationRoute,
    computeRoute,
    reservationRoute,
  ]),
]);

/** The router over one cache of answers. */
export function buildRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    context: { queries },
    // What no route knows is dropped, and so is a value that its reader refused.
    search: { strict: true },
    scrollRestoration: true,
    defaultNotFoundComponent: MissingPage,
    defaultErrorComponent: RouteError,
    defaultPendingComponent: () => <Skeleton label="Loading" />,
  });
}

/** A page that could not be shown at all, such as when the server is away while the session is asked for. */
function RouteError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className="mx-auto max-w-xl py-10">
      <title>Failed · Faultline</title>
      <ErrorState error={asError(error)} onRetry={() => void router.invalidate()} />
    </main>
  );
}

/** What a page may throw is not typed; whatever is no error is told as text. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof buildRouter>;
  }
}
