/** How long it takes to rank the services of many metrics, and to contrast the attributes of many spans. */

import { createHash } from "node:crypto";
import {
  checkSnapshot,
  type EvidenceContent,
  findContract,
  type Finding,
  type Span,
  snapshotOf,
} from "@faultline/contracts";

import type { BenchOptions, BenchResult } from "../bench.ts";

interface Size {
  readonly series: number;
  readonly points: number;
  readonly spans: number;
  readonly attributes: number;
}

const small: Size = { series: 50, points: 1_000, spans: 5_000, attributes: 50 };
const large: Size = { series: 1_000, points: 10_000, spans: 1_000_000, attributes: 50 };
const spansPerTrace = 20;
const servicesOfBench = 50;
/** Different sets of attributes; a million of their own would measure the memory of the machine. */
const poolSize = 20_000;

/** Ranks metrics of which one service departs, then contrasts traces of which one version fails. */
export function run({ small: isSmall }: BenchOptions): Promise<BenchResult> {
  const size = isSmall ? small : large;
  const hash = createHash("sha256");
  const ranked = timed("populations/first-deviation", [metricsOf(size)]);
  const contrasted = timed("populations/separating-attribute", tracesOf(size));
  for (const { findings } of [ranked, contrasted])
    hash.update(JSON.stringify(findings.map(({ title, measures }) => [title, measures])));
  return Promise.resolve({
    name: "contracts-populations",
    figures: [
      { name: "metrics ranked in", value: ranked.seconds, unit: "s" },
      { name: "series", value: size.series, unit: "series" },
      { name: "points of each", value: size.points, unit: "points" },
      { name: "spans contrasted in", value: contrasted.seconds, unit: "s" },
      { name: "spans", value: size.spans, unit: "spans" },
      { name: "attributes of each", value: size.attributes, unit: "attributes" },
      {
        name: "heap in use afterwards",
        value: Math.round(process.memoryUsage().heapUsed / 2 ** 20),
        unit: "MiB",
      },
    ],
    resultHash: hash.digest("hex").slice(0, 16),
  });
}

function timed(
  id: string,
  contents: readonly EvidenceContent[],
): { seconds: number; findings: Finding[] } {
  const contract = findContract(id);
  if (contract === undefined) throw new Error(`${id} is not in the registry`);
  const snapshot = snapshotOf(
    contents.map((content, index) => ({
      id: `sha256:${index.toString(16).padStart(64, "0")}`,
      source: { name: "bench", format: "bench", notes: [] },
      content,
    })),
  );
  const start = process.hrtime.bigint();
  const findings = checkSnapshot(snapshot, [contract]);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (findings[0]?.verdict !== "violated") throw new Error(`${id} does not see what was planted`);
  return { seconds, findings };
}

/** A repeatable source of numbers between 0 and 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function metricsOf({ series, points }: Size): EvidenceContent {
  const next = seeded(42);
  const timesMicros = Array.from({ length: points }, (_item, at) => 1.7e15 + at * 1e6);
  return {
    kind: "metrics",
    series: Array.from({ length: series }, (_item, index) => {
      const service = index % servicesOfBench;
      const isMoved = service === 7;
      return {
        name: `metric_${Math.floor(index / servicesOfBench)}_latency_ms`,
        labels: { service: `service-${service}` },
        type: "gauge" as const,
        timesMicros,
        values: timesMicros.map(
          (_time, at) => 100 + next() * 20 + (isMoved && at > points * 0.7 ? 300 : 0),
        ),
      };
    }),
  };
}

function tracesOf({ spans, attributes }: Size): EvidenceContent[] {
  const next = seeded(43);
  const names = Array.from({ length: attributes }, (_item, index) => `app.attribute_${index}`);
  const values = Array.from({ length: 30 }, (_item, index) => `value-${index}`);
  const pool = Array.from({ length: poolSize }, () =>
    Object.fromEntries(
      names.map((name, index) => {
        const chance = next();
        const value =
          index % 5 === 0 ? Math.floor(chance * 1_000) : values[Math.floor(chance * 30)];
        return [name, value ?? ""];
      }),
    ),
  );
  return Array.from({ length: Math.ceil(spans / spansPerTrace) }, (_item, trace) => {
    const traceId = (trace + 1).toString(16).padStart(32, "0");
    const isNew = next() < 0.1;
    const isBad = isNew && next() < 0.8;
    const resource = { "service.version": isNew ? "2.3" : "2.2" };
    return {
      kind: "trace",
      traceId,
      spans: Array.from({ length: spansPerTrace }, (_span, at): Span => {
        return {
          traceId,
          spanId: (trace * spansPerTrace + at + 1).toString(16).padStart(16, "0"),
          name: `step ${at}`,
          kind: "internal",
          service: `service-${at % 5}`,
          startMicros: 1.7e15 + trace * 1_000 + at,
          durationNanos: 1e6,
          status: { code: isBad && at === 3 ? "error" : "unset" },
          attributes: pool[Math.floor(next() * pool.length)] ?? {},
          resource,
          scope: { name: "bench" },
          events: [],
          links: [],
        };
      }),
    };
  });
}
