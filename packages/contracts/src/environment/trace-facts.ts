/** What the resources of traces tell of their environments, and how requests fare there. */

import type { EvidenceReference } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Attributes, AttributeValue, Span } from "../model/span.ts";
import type { Environment } from "./environment.ts";

/** Attributes of a resource that may explain why it behaves otherwise. Names of hosts and pods do not. */
const factName =
  /^(?:service\.version|process\.runtime\.(?:name|version|description)|telemetry\.sdk\.(?:language|name|version)|telemetry\.(?:distro|auto)\..+|os\.(?:type|name|version|description)|host\.arch|container\.image\.(?:name|tag|tags)|container\.image\.repo_digests|feature_flag\..+|process\.locale|timezone|user\.timezone)$/;

/** Operations of one environment whose requests are counted. */
const operationCountMax = 20_000;

/** Adds what traces tell, when they tell of more than one environment. */
export function addTraceFacts(
  snapshot: Snapshot,
  environmentOf: (name: string) => Environment,
): void {
  const traces = evidenceOfKind(snapshot, "trace");
  const names = new Set<string>();
  for (const { content } of traces) {
    for (const span of content.spans) {
      const name = environmentNameOf(span);
      if (name !== undefined) names.add(name);
    }
  }
  const described = evidenceOfKind(snapshot, "environment");
  if (names.size < 2 && (names.size === 0 || described.length === 0)) return;
  const seen = new Set<Attributes>();
  for (const { id, content } of traces) {
    for (const span of content.spans) {
      const name = environmentNameOf(span);
      if (name === undefined) continue;
      const environment = environmentOf(name);
      addOutcome(environment, span, id);
      addFlags(environment, span, id);
      // The spans of one block share one resource.
      if (seen.has(span.resource)) continue;
      seen.add(span.resource);
      addResource(environment, span, id);
    }
  }
}

/** The environment that a span's resource names, by the present or the older convention. */
function environmentNameOf({ resource }: Span): string | undefined {
  const name = resource["deployment.environment.name"] ?? resource["deployment.environment"];
  return typeof name === "string" && name !== "" ? name.slice(0, 256) : undefined;
}

function addResource(environment: Environment, span: Span, evidenceId: string): void {
  for (const [name, value] of Object.entries(span.resource)) {
    if (!factName.test(name)) continue;
    const text = textOf(value);
    environment.add(
      `${span.service} ${name}`,
      text,
      referenceTo(span, evidenceId, `${name}=${text}`),
    );
  }
}

/** A flag's evaluation, as an event or as attributes of the span that evaluated it. */
function addFlags(environment: Environment, span: Span, evidenceId: string): void {
  addFlag(environment, { span, evidenceId, attributes: span.attributes });
  for (const { attributes } of span.events) addFlag(environment, { span, evidenceId, attributes });
}

function addFlag(
  environment: Environment,
  { span, evidenceId, attributes }: { span: Span; evidenceId: string; attributes: Attributes },
): void {
  const key = attributes["feature_flag.key"];
  if (typeof key !== "string") return;
  const value =
    attributes["feature_flag.result.variant"] ??
    attributes["feature_flag.variant"] ??
    attributes["feature_flag.result.value"] ??
    null;
  const text = textOf(value);
  const quote = `feature_flag ${key}=${text}`;
  environment.add(
    `${span.service} feature_flag.${key}`,
    text,
    referenceTo(span, evidenceId, quote),
  );
}

/** Counts requests by what serves them. A request is a span that serves somebody, or begins a trace. */
function addOutcome(environment: Environment, span: Span, evidenceId: string): void {
  const isRequest =
    span.kind === "server" || span.kind === "consumer" || span.parentSpanId === undefined;
  if (!isRequest) return;
  const operation = `${span.service} ${span.name}`;
  const known = environment.outcomes.get(operation);
  // Names that hold ids are no operations, and there is no end of them.
  if (known === undefined && environment.outcomes.size >= operationCountMax) return;
  const outcome = known ?? { requestCount: 0, failureCount: 0 };
  if (known === undefined) environment.outcomes.set(operation, outcome);
  outcome.requestCount += 1;
  if (!hasFailed(span)) return;
  outcome.failureCount += 1;
  outcome.failure ??= referenceTo(span, evidenceId, span.status.message ?? `${span.name} failed`);
}

function hasFailed({ status, attributes }: Span): boolean {
  const code = attributes["http.response.status_code"] ?? attributes["http.status_code"];
  return status.code === "error" || Number(code) >= 500;
}

function referenceTo({ spanId }: Span, evidenceId: string, quote: string): EvidenceReference {
  return { evidenceId, locator: spanId, quote };
}

function textOf(value: AttributeValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
