/** Which findings speak of which span. */

import type { Finding, Span } from "@faultline/contracts";

export type SpanFindings = ReadonlyMap<string, readonly Finding[]>;

/** Findings by the id of each span that their evidence cites. */
export function indexFindings(findings: readonly Finding[]): SpanFindings {
  const bySpan = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const spanId of citedSpanIds(finding)) {
      const known = bySpan.get(spanId);
      if (known === undefined) bySpan.set(spanId, [finding]);
      else if (!known.includes(finding)) known.push(finding);
    }
  }
  return bySpan;
}

/** The spans that a finding cites, in its order. */
export function citedSpanIds(finding: Finding): string[] {
  return finding.evidence.flatMap((reference) => {
    const match = reference.locator?.match(/[0-9a-f]{16}$/);
    return match === null || match === undefined ? [] : [match[0]];
  });
}

/** The findings about any of the spans, each once. */
export function findingsOf(spans: readonly Span[], index: SpanFindings): Finding[] {
  return [...new Set(spans.flatMap((span) => index.get(span.spanId) ?? []))];
}
