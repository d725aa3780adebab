/** The steps that are left in a case: verify the repair, note a mitigation, apply a fix, close it. */

import type { CaseDetail } from "@faultline/protocol";

import { useAddMitigation, useCloseCase } from "../api/mutations.ts";
import { useRefusal } from "../api/permission.ts";
import { CaseNoteForm } from "../forms/case-note-form.tsx";
import { VerifyCaseForm } from "../forms/verify-case-form.tsx";
import { Badge } from "../ui/badge.tsx";
import { Panel } from "../ui/panel.tsx";
import { Prose } from "../ui/prose.tsx";

export function CaseSteps({ detail }: { detail: CaseDetail }) {
  const { id, status } = detail.summary;
  const refusal = useRefusal("case:write");
  const mitigation = useAddMitigation(id);
  const closing = useCloseCase(id);
  const closed = refusal ?? (status === "closed" ? "The case is closed." : undefined);
  const leading = detail.hypotheses.find((hypothesis) => hypothesis.rank === 1);
  return (
    <>
      <Panel title="Fix">
        {leading === undefined || leading.fixes.length === 0 ? (
          <p className="text-sm text-ink-2">No contract offers a fix for this evidence.</p>
        ) : (
          <ol className="flex flex-col gap-3">
            {leading.fixes.map((fix) => (
              <li key={fix.description} className="text-sm">
                <Badge
                  tone={fix.verified ? "good" : "plain"}
                  {...(fix.verified ? { icon: "check" } : {})}
                >
                  {fix.verified ? "verified by the contract" : "candidate, not verified"}
                </Badge>
                <p className="mt-1 wrap-anywhere">
                  <Prose text={fix.description} />
                </p>
              </li>
            ))}
          </ol>
        )}
      </Panel>
      <Panel title="Verify">
        <VerifyCaseForm caseId={id} disabledReason={closed ?? verifyRefusal(detail)} />
      </Panel>
      <Panel title="Mitigation" note="eases the symptom, proves nothing">
        {detail.mitigations.length > 0 && (
          <ul className="mb-3 flex list-disc flex-col gap-1 pl-4 text-sm">
            {detail.mitigations.map((text, index) => (
              <li key={index} className="wrap-anywhere">
                {text}
              </li>
            ))}
          </ul>
        )}
        <CaseNoteForm
          name="Note a mitigation"
          label="What was done"
          hint="And what it risks."
          action="Note the mitigation"
          busy={mitigation.isPending}
          error={mitigation.error}
          disabledReason={closed}
          onSend={(text, onDone) => mitigation.mutate(text, { onSuccess: onDone })}
        />
        <details className="mt-4 border-t border-line pt-3 text-sm">
          <summary className="text-ink-2 hover:text-ink">Close the case</summary>
          <div className="mt-2">
            <CaseNoteForm
              name="Close the case"
              label="Reason"
              hint="Nobody works on a closed case any more."
              action="Close the case"
              busy={closing.isPending}
              error={closing.error}
              disabledReason={closed}
              onSend={(text, onDone) => closing.mutate(text, { onSuccess: onDone })}
            />
          </div>
        </details>
      </Panel>
    </>
  );
}

function verifyRefusal(detail: CaseDetail): string | undefined {
  if (detail.hypotheses.length === 0) return "There is no hypothesis to verify.";
  return detail.summary.status === "proved" ? "The cause is proved already." : undefined;
}
