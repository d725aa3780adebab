/** Steps of cases as spans, so that an investigation can be looked at like any other work. */

import type { Attributes } from "@faultline/contracts";
import type { CaseDetail, TenantId } from "@faultline/protocol";

import type { SpanContext, Tracer } from "#telemetry/index.ts";

/** The step that is being taken. */
export interface StepTrace {
  readonly tracer: Tracer;
  readonly tenantId: TenantId;
  readonly parent: SpanContext;
}

/** Runs one part of a step within a span below it. */
export async function tracePart<T>(
  { tracer, tenantId, parent }: StepTrace,
  name: string,
  run: () => Promise<T> | T,
): Promise<T> {
  return await tracer.trace(tenantId, name, { parent, work: async () => await run() });
}

/** What the span of a step says of the case that it led to. */
export function stepAttributes(detail: CaseDetail): Attributes {
  const { summary, hypotheses, findings, snapshots, verifications } = detail;
  const snapshot = snapshots.at(-1);
  const verification = verifications.at(-1);
  return {
    "faultline.case.id": summary.id,
    "faultline.case.number": summary.number,
    "faultline.case.status": summary.status,
    "faultline.case.subject": summary.subject.name,
    "faultline.case.hypothesis_count": hypotheses.length,
    "faultline.case.finding_count": findings.length,
    ...(snapshot === undefined ? {} : { "faultline.snapshot.id": snapshot.id }),
    ...(verification === undefined
      ? {}
      : { "faultline.case.verification_outcome": verification.outcome }),
  };
}
