import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { EvidenceContent } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { ProfileContent } from "../model/profile.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { createSnapshot, snapshotOf } from "../snapshot/create-snapshot.ts";
import { heapBounded } from "./heap-bounded.ts";
import { profileDifference } from "./profile-difference.ts";

const recorded = fileURLToPath(new URL("../../test/recorded/lifetimes/", import.meta.url));
const source = { name: "x", format: "x", notes: [] };

/** Recorded within a second; `minutesApart` says so of them as if they had been recorded over a longer time. */
function heapsOf(mode: string, minutesApart?: number): Finding[] {
  const files = readdirSync(`${recorded}${mode}`)
    .filter((name) => name.startsWith("heap-"))
    .map((name) => ({ name, bytes: readFileSync(`${recorded}${mode}/${name}`) }));
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  expect(evidence).toHaveLength(3);
  if (minutesApart === undefined) return heapBounded.check(snapshotOf(evidence));
  const profiles = evidence.map(({ content }) => content as ProfileContent);
  return check(
    profiles.map((content) => {
      const sequence = content.recording.sequence ?? 0;
      const timeMicros = 1_763_791_200_000_000 + sequence * minutesApart * 60_000_000;
      return { ...content, recording: { ...content.recording, timeMicros } };
    }),
  );
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function memory(name: string, values: readonly number[]): EvidenceContent {
  return {
    kind: "metrics",
    series: [
      {
        name,
        labels: { service: "shop" },
        type: "gauge",
        timesMicros: values.map((_value, index) => 1_763_791_200_000_000 + index * 15_000_000),
        values: [...values],
      },
    ],
  };
}

function check(contents: readonly EvidenceContent[]): Finding[] {
  return heapBounded.check(createSnapshot(contents.map((content) => ({ source, content }))));
}

describe("the heap", () => {
  it("of a program that keeps what it makes grows at the function that makes it", () => {
    const findings = heapsOf("kept-memory", 5);
    expect(findings).toMatchObject([{ verdict: "violated" }]);
    expect(heapsOf("kept-memory")).toMatchObject([{ verdict: "inconclusive" }]);
    expect(findings[0]?.subject.name).toContain("main.remember");
  });

  it("of a healthy program does not", () => {
    expect(heapsOf("healthy", 5)).toEqual([]);
  });

  it("is measured by what collections leave: a saw that rises, and one that does not", () => {
    const saw = (rise: number): number[] =>
      Array.from({ length: 200 }, (_item, index) => 1e8 + index * rise + (index % 10) * 2e7);
    expect(check([memory("heap_after_gc_bytes", saw(2e6))])).toMatchObject([
      { verdict: "violated" },
    ]);
    expect(check([memory("nodejs_heap_size_used_bytes", saw(2e6))])).toMatchObject([
      { verdict: "inconclusive" },
    ]);
    expect(check([memory("nodejs_heap_size_used_bytes", saw(0))])).toMatchObject([
      { verdict: "holds" },
    ]);
  });

  it("is not said to grow without end where it comes to rest, or where a cache fills resident memory", () => {
    const filled = Array.from({ length: 200 }, (_item, index) => 1e8 * (2 - Math.exp(-index / 15)));
    const verdicts = [
      ...check([memory("heap_after_gc_bytes", filled)]),
      ...check([
        memory(
          "process_resident_memory_bytes",
          filled.map((_value, index) => 1e8 + index * 1e6),
        ),
      ]),
    ].map(({ verdict }) => verdict);
    expect(verdicts).not.toContain("violated");
  });

  it("of a process that may still warm up is no leak yet", () => {
    const rising = Array.from({ length: 30 }, (_item, index) => 1e8 + index * 1e7);
    const [finding] = check([memory("heap_after_gc_bytes", rising)]);
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing.join(" ")).toContain("15 minutes");
  });

  it("that grows with the load is no leak, and one that grows alone is", () => {
    const grows = Array.from({ length: 120 }, (_item, index) => 1e8 * (1 + index / 60));
    const heap = memory("heap_after_gc_bytes", grows);
    const load = (name: string, of: (index: number) => number): EvidenceContent =>
      memory(
        name,
        Array.from({ length: 120 }, (_item, index) => of(index)),
      );
    const rising = [
      load("http_requests_in_flight", (index) => 20 + index / 3),
      load("active_connections", (index) => 100 + 2 * index),
      load("queue_depth", (index) => index),
      load("http_requests_total", (index) => index * 10 + index * index),
    ];
    for (const content of rising) {
      const [finding] = check([heap, content]);
      expect(finding).toMatchObject({ verdict: "inconclusive" });
      expect(finding?.actual).toContain("At the same time");
    }
    const steady = [
      load("http_requests_in_flight", (index) => 20 + (index % 3)),
      load("http_requests_total", (index) => index * 10),
    ];
    const [finding] = check([heap, ...steady]);
    expect(finding).toMatchObject({ verdict: "violated" });
    expect(finding?.actual).toContain("which does not explain it");
  });

  it("that goes down in between is a leak only where the load is known not to", () => {
    const uneven = Array.from(
      { length: 120 },
      (_item, index) => 1e8 * (1 + index / 40 - (index >= 48 && index < 60 ? 0.7 : 0)),
    );
    const heap = memory("heap_after_gc_bytes", uneven);
    expect(check([heap])).toMatchObject([{ verdict: "inconclusive" }]);
    const load = memory(
      "http_requests_in_flight",
      uneven.map((_value, index) => 20 + (index % 2)),
    );
    expect(check([heap, load])).toMatchObject([{ verdict: "violated" }]);
  });

  it("is not judged by the load of another process", () => {
    const grows = Array.from({ length: 120 }, (_item, index) => 1e8 * (1 + index / 60));
    const other = memory(
      "http_requests_in_flight",
      grows.map((_value, index) => 20 + index),
    );
    const foreign =
      other.kind === "metrics"
        ? {
            ...other,
            series: other.series.map((series) => ({ ...series, labels: { service: "cart" } })),
          }
        : other;
    expect(check([memory("heap_after_gc_bytes", grows), foreign])).toMatchObject([
      { verdict: "violated" },
    ]);
  });

  it("is called a leak in at most two of 1,000 nulls", () => {
    let found = 0;
    for (let round = 0; round < 1_000; round += 1) {
      const random = randomOf(round + 1);
      const values = Array.from({ length: 120 }, () => 1e8 * (1 + random()));
      found += check([memory("heap_after_gc_bytes", values)]).filter(
        ({ verdict }) => verdict === "violated",
      ).length;
    }
    expect(found).toBeLessThanOrEqual(2);
  });
});

it("names contexts that nobody cancels, by what makes most of a site that grows", () => {
  const heap = (sequence: number, bytes: number): ProfileContent => ({
    kind: "profile",
    recording: { series: "heap", sequence },
    measures: [{ type: "inuse_space", unit: "bytes" }],
    frames: [
      { function: "runtime.mallocgc" },
      { function: "context.WithDeadlineCause" },
      { function: "main.handle" },
      { function: "main.main" },
    ],
    samples: [
      { stack: [0, 1, 2, 3], values: [bytes] },
      { stack: [0, 2, 3], values: [1_000] },
    ],
  });
  const [finding] = check([heap(0, 1e7), heap(1, 3e7), heap(2, 5e7)]);
  expect(finding).toMatchObject({ verdict: "violated", subject: { name: "heap: main.handle" } });
  expect(finding?.actual).toContain("Most of it is made by context.WithDeadlineCause.");
  expect(finding?.fixes[0]?.description).toContain("defer cancel()");
});

/** A CPU profile with so many samples of each function, below main. */
function cpu(sequence: number, samples: Readonly<Record<string, number>>): ProfileContent {
  const names = Object.keys(samples);
  return {
    kind: "profile",
    recording: { series: "cpu", sequence },
    measures: [
      { type: "samples", unit: "count" },
      { type: "cpu", unit: "nanoseconds" },
    ],
    frames: [{ function: "main.main" }, ...names.map((name) => ({ function: name }))],
    samples: names.map((name, index) => ({
      stack: [index + 1, 0],
      values: [samples[name] ?? 0, (samples[name] ?? 0) * 10_000_000],
    })),
  };
}

function compare(contents: readonly EvidenceContent[]): Finding[] {
  return profileDifference.check(createSnapshot(contents.map((content) => ({ source, content }))));
}

describe("two CPU profiles", () => {
  it("name the function whose share grew, and prove nothing without equal work", () => {
    const [finding, ...others] = compare([
      cpu(0, { "main.parse": 100, "main.render": 900 }),
      cpu(1, { "main.parse": 600, "main.render": 900 }),
    ]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "inconclusive",
      measures: { shareFirst: 0.1, shareLast: 0.4 },
    });
    expect(finding?.title).toContain("main.parse");
    expect(finding?.missing.join(" ")).toContain("equal output");
  });

  it("hold where shares stay, and are inconclusive with too few samples", () => {
    const steady = [cpu(0, { a: 300, b: 700 }), cpu(1, { a: 620, b: 1_380 })];
    expect(compare(steady)).toMatchObject([{ verdict: "holds" }]);
    expect(compare([cpu(0, { a: 3, b: 7 }), cpu(1, { a: 9, b: 1 })])).toMatchObject([
      { verdict: "inconclusive" },
    ]);
  });

  it("differ beyond chance in at most two of 1,000 pairs of equal work", () => {
    let found = 0;
    for (let round = 0; round < 1_000; round += 1) {
      const random = randomOf(round + 1);
      const draw = (): Record<string, number> => {
        const samples: Record<string, number> = {};
        for (let sample = 0; sample < 150; sample += 1) {
          const name = `f${Math.floor(8 * random() * random())}`;
          samples[name] = (samples[name] ?? 0) + 1;
        }
        return samples;
      };
      if (compare([cpu(0, draw()), cpu(1, draw())])[0]?.verdict !== "holds") found += 1;
    }
    expect(found).toBeLessThanOrEqual(2);
  });
});
