/** Steps of cases as spans in the platform's own store, so that the work of an investigation can be looked at like any other. */

import type { Principal } from "#identity/index.ts";
import type { Tracer } from "#telemetry/index.ts";
import type { Attributes } from "@faultline/contracts";
import type { CaseDetail } from "@faultline/protocol";

export type CaseStep = "open" | "verify" | "mitigate" | "close";

export interface CaseStepWork {
  readonly step: CaseStep;
  readonly principal: Principal;
  readonly work: () => Promise<CaseDetail>;
}

/** Does a step of a case within a span of the principal's tenant, which names what came of it. */
export async function traceCaseStep(
  tracer: Tracer,
  { step, principal, work }: CaseStepWork,
): Promise<CaseDetail> {
  return tracer.trace(principal.tenantId, `case ${step}`, {
    attributes: { "faultline.key.id": principal.keyId },
    work: async (span) => {
      const detail = await work();
      for (const [name, value] of Object.entries(attributesOf(detail)))
        span.setAttribute(name, value);
      return detail;
    },
  });
}

function attributesOf({ summary, hypotheses, findings, verifications }: CaseDetail): Attributes {
  const verification = verifications.at(-1);
  return {
    "faultline.case.id": summary.id,
    "faultline.case.number": summary.number,
    "faultline.case.status": summary.status,
    "faultline.case.subject": summary.subject.name,
    "faultline.case.hypothesis_count": hypotheses.length,
    "faultline.case.finding_count": findings.length,
    ...(verification === undefined
      ? {}
      : { "faultline.case.verification_outcome": verification.outcome }),
  };
}
