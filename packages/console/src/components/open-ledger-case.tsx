/** Opens a case on a difference of the ledger, as far as a case about the ledger finds it. */

import { exportedDifferenceKinds } from "@faultline/contracts/model";
import type { LedgerDifference } from "@faultline/protocol";
import { useNavigate } from "@tanstack/react-router";

import { useOpenCase } from "../api/mutations.ts";
import { useRefusal } from "../api/permission.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { paths } from "../util/paths.ts";

/** What lies further back is summed up, and still judged. */
const windowMs = 24 * 3_600_000;
const symptomLengthMax = 1_024;
const shownKinds: ReadonlySet<string> = new Set(exportedDifferenceKinds);

export function OpenLedgerCase({ difference }: { difference: LedgerDifference }) {
  const navigate = useNavigate();
  const openCase = useOpenCase();
  const refusal = useRefusal("case:write");
  if (!shownKinds.has(difference.kind)) return null;
  const open = (): void =>
    openCase.mutate(
      {
        symptom: difference.message.slice(0, symptomLengthMax),
        subject: { kind: "ledger", name: difference.subject.slice(0, 256) },
        from: new Date(Date.now() - windowMs).toISOString(),
      },
      { onSuccess: (detail) => void navigate(paths.case(detail.summary.number)) },
    );
  return (
    <div className="flex flex-col items-start gap-2">
      <Button
        variant="quiet"
        disabledReason={refusal}
        busy={openCase.isPending}
        busyLabel="Freezing the ledger"
        onClick={open}
      >
        Open a case
      </Button>
      {openCase.error !== null && <ErrorState error={openCase.error} />}
    </div>
  );
}
