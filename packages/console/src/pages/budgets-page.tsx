/** `/ledger/budgets`: limits of spend, how they stand, and how long they last. */

import type { BudgetForecast, LedgerBudget } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { budgetsQuery, forecastsQuery } from "../api/ledger-queries.ts";
import { useRefusal } from "../api/permission.ts";
import { BudgetTable } from "../components/budget-table.tsx";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { BudgetForm } from "../forms/budget-form.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { plural } from "../util/format.ts";
import type { BudgetsSearch } from "../util/ledger-search.ts";
import { paths } from "../util/paths.ts";

/** What the URL says when a budget is made. */
const newBudget = "new";

export function BudgetsPage({ search }: { search: BudgetsSearch }) {
  const budgets = useQuery(budgetsQuery);
  const forecasts = useQuery(forecastsQuery);
  const byId = new Map(forecasts.data?.forecasts.map((one) => [one.budgetId, one]));
  return (
    <LedgerFrame
      title="Budgets"
      lead="A hard budget refuses what it does not leave; a soft one only tells. Spend and open holds count."
      actions={
        <Link {...paths.budgets({ edit: newBudget })} className={buttonClass("primary")}>
          <Icon name="plus" className="size-3.5" />
          Set a budget
        </Link>
      }
    >
      <QueryView query={budgets} loadingLabel="Loading the budgets" skeletonRows={8}>
        {(data) => <Budgets budgets={data.budgets} forecasts={byId} edit={search.edit} />}
      </QueryView>
    </LedgerFrame>
  );
}

function Budgets(props: {
  budgets: readonly LedgerBudget[];
  forecasts: ReadonlyMap<string, BudgetForecast>;
  edit: string | undefined;
}) {
  const { budgets, forecasts, edit } = props;
  const navigate = useNavigate();
  const refusal = useRefusal("ledger:write");
  const edited = budgets.find((budget) => budget.budgetId === edit);
  const done = (): void => void navigate(paths.budgets());
  return (
    <>
      {edit !== undefined && (
        <Panel
          title={edited === undefined ? "A new budget" : `The budget “${edited.budgetId}”`}
          actions={
            <Link {...paths.budgets()} className={buttonClass("quiet")}>
              Close
            </Link>
          }
        >
          <BudgetForm
            // The form starts anew from the budget that it changes.
            key={edit}
            budget={edited}
            takenIds={budgets.map(({ budgetId }) => budgetId)}
            disabledReason={refusal}
            onDone={done}
          />
        </Panel>
      )}
      <Panel title="Budgets" note={plural(budgets.length, "budget")} flush>
        {budgets.length === 0 ? (
          <EmptyState icon="credit" title="No budget is set">
            <p>
              Credit alone bounds what is spent. A budget bounds it for the tenant, a key, a user, a
              model or a tag, by day, month, a rolling time or in all.
            </p>
          </EmptyState>
        ) : (
          <BudgetTable budgets={budgets} forecasts={forecasts} />
        )}
      </Panel>
    </>
  );
}
