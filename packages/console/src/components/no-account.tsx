/** What stands where a tenant has no account: that it does not pay, and what a first grant changes. */

import { useRefusal } from "../api/permission.ts";
import { GrantForm } from "../forms/grant-form.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import type { Currency } from "../util/money.ts";

export function NoAccount({ currency }: { currency: Currency }) {
  const refusal = useRefusal("ledger:write");
  return (
    <Panel title={`No account in ${currency}`}>
      <EmptyState icon="credit" title="This tenant does not pay for its calls yet">
        <p>
          What it uses is measured and priced, and nothing is held. The first grant opens an
          account: from then on every model call is held for before it is made, and refused when
          credit does not suffice.
        </p>
      </EmptyState>
      <div className="mx-auto flex max-w-xl flex-col gap-6">
        <GrantForm currencies={[currency]} disabledReason={refusal} />
        <CommandLine
          label="From a terminal"
          lines={[`npx faultline ledger grant 25 ${currency}`]}
        />
      </div>
    </Panel>
  );
}
