/** Makes traces for tests: calls of models that two versions serve at the same time. */

import type { Evidence } from "../../model/evidence.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import type { Attributes, Span } from "../../model/span.ts";
import { createSnapshot } from "../../snapshot/create-snapshot.ts";

/** A repeatable source of numbers between 0 and 1, by the generator of Park and Miller. */
export function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A normal variable, by the transform of Box and Muller. */
export function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export const startMicros = 1_750_000_000_000_000;

/** How one version serves. */
export interface Version {
  readonly count: number;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  readonly failureShare?: number;
  /** The median, in milliseconds; single calls vary around it by half of it and more. */
  readonly durationMs?: number;
  readonly outputTokens?: number;
  readonly inputTokens?: number;
  /** When its calls come, as shares of an hour. */
  readonly from?: number;
  readonly to?: number;
  /** Changes a call when it is made. */
  readonly change?: (span: Span, at: number, next: () => number) => Span;
}

/** The calls of models of some versions, each in a trace of its own. */
export function callsOf(versions: readonly Version[], seed = 1): Span[] {
  const next = seeded(seed);
  return versions.flatMap((version, index) =>
    Array.from({ length: version.count }, (_, at) => {
      const span = callOf(version, index * 1_000_000 + at, next);
      return version.change?.(span, at, next) ?? span;
    }),
  );
}

function callOf(version: Version, id: number, next: () => number): Span {
  const { from = 0, to = 1, durationMs = 800, failureShare = 0.02 } = version;
  const tokens = (median: number): number =>
    Math.max(1, Math.round(median * Math.exp(0.5 * normal(next))));
  // Traces are sorted by their ids, which say nothing of when they were made.
  const traceId = Math.floor(next() * 2 ** 48)
    .toString(16)
    .padStart(32, "0");
  const hasFailed = next() < failureShare;
  const duration = durationMs * Math.exp(0.6 * normal(next));
  return {
    traceId,
    spanId: (id + 1).toString(16).padStart(16, "0"),
    name: "chat",
    kind: "client",
    service: "assistant",
    startMicros: startMicros + Math.floor((from + (to - from) * next()) * 3_600e6),
    durationNanos: Math.round(duration * 1e6),
    status: hasFailed ? { code: "error", message: "upstream failed" } : { code: "unset" },
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.provider.name": "openai",
      "gen_ai.usage.input_tokens": tokens(version.inputTokens ?? 900),
      "gen_ai.usage.output_tokens": tokens(version.outputTokens ?? 250),
      "gen_ai.server.time_to_first_token": (duration / 1_000) * 0.3,
      ...version.attributes,
    },
    resource: { "service.name": "assistant", ...version.resource },
    scope: { name: "test" },
    events: [],
    links: [],
  };
}

/** One snapshot of spans, which are joined by their traces. */
export function snapshotOfSpans(spans: readonly Span[]): Snapshot {
  const traces = Map.groupBy(spans, ({ traceId }) => traceId);
  const source: Evidence["source"] = { name: "calls", format: "test", notes: [] };
  return createSnapshot(
    [...traces].map(([traceId, own]) => ({
      source,
      content: { kind: "trace", traceId, spans: own },
    })),
  );
}

/** What two versions with the same bundle name are told apart by. */
export function bundle(digit: string): Attributes {
  return {
    "faultline.bundle.hash": `sha256:${digit.repeat(64)}`,
    "faultline.bundle.name": `support@${digit}`,
    "faultline.alias": "support",
  };
}
