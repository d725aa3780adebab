/** Builds traces of calls between services for tests, in the conventions of several producers. */

import type { Attributes, Span } from "../model/span.ts";
import type { Finding } from "../model/finding.ts";
import type { SpanTree } from "../traces/trace-builder.ts";

/** Milliseconds in microseconds, as trees of spans take times. */
export function ms(millis: number): number {
  return millis * 1_000;
}

/** A POST over HTTP in the stable conventions. */
export function post(url: string, more: Partial<SpanTree> = {}): SpanTree {
  return {
    name: "POST",
    kind: "client",
    ...more,
    attributes: { "http.request.method": "POST", "url.full": url, ...more.attributes },
  };
}

/** A request that a service took in. */
export function serves(
  service: string,
  route: string,
  more: Partial<SpanTree> & { method?: string } = {},
): SpanTree {
  const { method = "POST", ...rest } = more;
  return {
    name: `${method} ${route}`,
    kind: "server",
    service,
    ...rest,
    attributes: { "http.request.method": method, "http.route": route, ...rest.attributes },
  };
}

/** Attributes of a call that ended with a status. */
export function status(code: number): Attributes {
  return { "http.response.status_code": code };
}

/** Attempts that start after the given waits, each failing with the attributes but the last, when it succeeds. */
export function attempts(
  make: (attempt: number) => SpanTree,
  waitsMillis: readonly number[],
  lengthMillis = 20,
): SpanTree[] {
  let at = 1;
  return [0, ...waitsMillis].map((wait, attempt) => {
    at += attempt === 0 ? 0 : lengthMillis + wait;
    return { durationMicros: ms(lengthMillis), ...make(attempt), at: ms(at) };
  });
}

/** The ids of the spans that match, by name and service. */
export function idsOf(spans: readonly Span[], matches: (span: Span) => boolean): string[] {
  return spans.filter(matches).map(({ spanId }) => spanId);
}

/** The ids of the spans that a finding quotes. */
export function quotedIds(finding: Finding | undefined): string[] {
  return (finding?.evidence ?? []).flatMap(({ locator }) => locator ?? []);
}

/** Verdicts by subject. */
export function verdicts(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ subject, verdict }) => [subject.name, verdict]));
}
