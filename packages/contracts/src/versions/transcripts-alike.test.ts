import { describe, expect, it } from "vitest";

import type { TranscriptTurn } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { seeded } from "./canary/canary-maker.ts";
import { transcriptsAlike } from "./transcripts-alike.ts";

interface SidePlan {
  readonly file: string;
  readonly count?: number;
  readonly errorShare?: number;
  readonly refusalShare?: number;
  readonly searchShare?: number;
  readonly turnCount?: number;
  readonly request?: (at: number) => string;
}

function turn(parts: Partial<TranscriptTurn> & Pick<TranscriptTurn, "role">): TranscriptTurn {
  return { calls: [], results: [], pointer: "", ...parts };
}

function transcript(plan: SidePlan, at: number, next: () => number): TranscriptTurn[] {
  const { errorShare = 0.1, refusalShare = 0.02, searchShare = 0.5, turnCount = 2 } = plan;
  const name = next() < searchShare ? "search" : "lookup";
  const isError = next() < errorShare;
  const extra = Math.floor(next() * 3) + turnCount;
  return [
    turn({ role: "user", text: plan.request?.(at) ?? `request ${Math.floor(next() * 1e9)}` }),
    ...Array.from({ length: extra }, () => [
      turn({ role: "assistant", calls: [{ callId: "c", name, arguments: {}, pointer: "" }] }),
      turn({ role: "tool", results: [{ callId: "c", content: "ok", isError, pointer: "" }] }),
    ]).flat(),
    turn({
      role: "assistant",
      text: `${next() < refusalShare ? "I'm sorry, but I can't help with that." : "Here it is."} ${next()}`,
    }),
  ];
}

function check(plans: readonly SidePlan[], seed = 1): Finding[] {
  const next = seeded(seed);
  return transcriptsAlike.check(
    createSnapshot(
      plans.flatMap((plan) =>
        Array.from({ length: plan.count ?? 120 }, (_, at) => ({
          source: { name: plan.file, format: "transcript", notes: [] },
          content: { kind: "transcript" as const, turns: transcript(plan, at, next) },
        })),
      ),
    ),
  );
}

const old: SidePlan = { file: "/srv/evaluations/baseline/runs.jsonl" };
const next: SidePlan = { file: "/srv/evaluations/candidate/runs.jsonl" };

describe("transcripts of two versions", () => {
  const request = (at: number): string => `request ${at}`;
  /** Three requests, each again and again. */
  const again = (at: number): string => `request ${at % 3}`;

  it.each([
    ["tool errors", { errorShare: 0.4 }, /tool errors \d+(?:\.\d)? % against/],
    ["refusals", { refusalShare: 0.3 }, /refusals \d+(?:\.\d)? % against/],
    ["tools", { searchShare: 0.05 }, /use of (?:search|lookup) /],
    ["turns", { turnCount: 6 }, /(?:turns|tool calls) \d/],
  ])("are unlike in their %s", (_name, change, title) => {
    const [finding] = check([
      { ...old, request },
      { ...next, request, ...change },
    ]);
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "change" });
    expect(finding?.title).toMatch(title);
    expect(finding?.subject.name).toBe(
      "/srv/evaluations/candidate/runs.jsonl against /srv/evaluations/baseline/runs.jsonl",
    );
  });

  it("hold where they are alike, and where fewer fail", () => {
    expect(check([old, next])[0]?.verdict).toBe("holds");
    expect(
      check([
        { ...old, errorShare: 0.5 },
        { ...next, errorShare: 0.05 },
      ])[0]?.verdict,
    ).toBe("holds");
  });

  it("are compared request by request where both got the same", () => {
    const [finding] = check([
      { ...old, request, count: 60 },
      { ...next, request, count: 60, errorShare: 0.5 },
    ]);
    expect(finding).toMatchObject({ verdict: "violated", measures: { isPaired: true } });
    expect(finding?.evidence[0]?.quote).toMatch(/candidate\/runs\.jsonl: request \d+/);
  });

  it("are inconclusive where they are few, and none where no name tells two versions", () => {
    expect(check([{ ...old, count: 5 }, next])[0]?.verdict).toBe("inconclusive");
    expect(
      check([
        { ...old, count: 25 },
        { ...next, count: 25 },
      ])[0]?.verdict,
    ).toBe("inconclusive");
    expect(check([old, { ...next, file: "/srv/evaluations/baseline/more.jsonl" }])).toEqual([]);
    expect(check([{ file: "a.jsonl" }, { file: "b.jsonl" }])).toEqual([]);
  });

  it("are inconclusive where neither requests nor tools are in both", () => {
    const [finding] = check([
      { ...old, searchShare: 1 },
      { ...next, searchShare: 0, errorShare: 0.6 },
    ]);
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.title).toMatch(/share neither requests nor tools/);
  });

  it("are confounded where they are unlike, and the requests are others as well", () => {
    const [finding] = check([old, { ...next, errorShare: 0.6 }]);
    expect(finding).toMatchObject({
      verdict: "inconclusive",
      missing: ["transcripts of the same requests under both versions"],
      measures: { unlike: expect.stringContaining("tool errors") },
    });
    expect(finding?.title).toMatch(/are confounded: transcripts are unlike \(tool errors/);
  });

  it("are confounded where only the mix of requests is another", () => {
    // Hard requests fail as often under both versions; the newer one got more of them.
    const sides = (hardShare: number): SidePlan[] => [
      { ...old, request: (at) => `easy ${at}`, errorShare: 0.02, count: 100 },
      { ...old, request: (at) => `hard ${at}`, errorShare: 0.7, count: 20 },
      {
        ...next,
        request: (at) => `easy ${at + 500}`,
        errorShare: 0.02,
        count: 100 * (1 - hardShare),
      },
      { ...next, request: (at) => `hard ${at + 500}`, errorShare: 0.7, count: 100 * hardShare },
    ];
    expect(check(sides(0.6))[0]?.verdict).toBe("inconclusive");
  });

  it("are compared as populations where the same requests come again and again", () => {
    const [finding] = check([
      { ...old, request: again },
      { ...next, request: again, errorShare: 0.5 },
    ]);
    expect(finding).toMatchObject({ verdict: "violated", measures: { isPaired: false } });
    const other = (at: number): string => `request ${at % 5}`;
    const [mixed] = check([
      { ...old, request: again },
      { ...next, request: other, errorShare: 0.5 },
    ]);
    expect(mixed?.verdict).toBe("inconclusive");
  });

  it("are told apart by versions in the names of two files", () => {
    const [finding] = check([
      { file: "agent-v2.jsonl", errorShare: 0.5, request },
      { file: "agent-v1.jsonl", request },
    ]);
    expect(finding?.subject.name).toBe("agent-v2.jsonl against agent-v1.jsonl");
    expect(finding?.verdict).toBe("violated");
  });
});

it.each<[string, (at: number) => string]>([
  ["got each request once", (at) => `request ${at}`],
  ["got the same requests again and again", (at) => `request ${at % 3}`],
])("calls at most 1 in 100 of 1,000 pairs of equal versions unlike that %s", (_what, request) => {
  let called = 0;
  for (let seed = 0; seed < 1_000; seed += 1) {
    const plans = [
      { ...old, request, count: 30 },
      { ...next, request, count: 30 },
    ];
    if (check(plans, seed + 5)[0]?.verdict === "violated") called += 1;
  }
  expect(called).toBeLessThanOrEqual(10 + 3 * Math.sqrt(10));
});
