import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import type { AttributeValue, Span } from "../model/span.ts";
import {
  bundle,
  callsOf,
  normal,
  seeded,
  snapshotOfSpans,
  startMicros,
  type Version,
} from "./canary/canary-maker.ts";
import { drift } from "./drift.ts";

function onlyOf(spans: readonly Span[]): Finding {
  const [finding, ...others] = drift.check(snapshotOfSpans(spans));
  expect(others).toEqual([]);
  if (finding === undefined) throw new Error("There is no finding.");
  return finding;
}

function finishing(reason: (at: number) => string): NonNullable<Version["change"]> {
  return (span, at) => ({
    ...span,
    attributes: { ...span.attributes, "gen_ai.response.finish_reasons": [reason(at)] },
  });
}

const calm: Version = {
  count: 300,
  to: 0.5,
  change: finishing((at) => (at % 10 === 0 ? "length" : "stop")),
};
const later = { ...calm, from: 0.5, to: 1 };

describe("drift over time", () => {
  it.each<readonly [string, Version, string]>([
    ["output tokens", { ...later, outputTokens: 700 }, "output tokens"],
    ["input tokens", { ...later, inputTokens: 3_000 }, "input tokens"],
    [
      "finish reasons",
      { ...later, change: finishing((at) => (at % 10 < 6 ? "length" : "stop")) },
      "length 10 % → 60 %",
    ],
    [
      "refusals",
      {
        ...later,
        change: finishing((at) =>
          at % 10 === 0 ? "content_filter" : at % 10 === 1 ? "length" : "stop",
        ),
      },
      "refused 0 % → 10 %",
    ],
  ])("of %s is called with what changed", (name, changed, words) => {
    const finding = onlyOf(callsOf([calm, changed]));
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "drift", name: "assistant, chat" },
    });
    expect(`${finding.title}\n${finding.actual}`).toContain(words);
    expect(finding.actual).toContain(name);
    expect(finding.evidence).toHaveLength(2);
  });

  it("of the tools that run is called", () => {
    const spans = callsOf([calm, later]);
    const withTools = spans.flatMap((span, at): Span[] => {
      const isLate = span.startMicros > startMicros + 1_800e6;
      const tool = (at * 7) % 10 < (isLate ? 2 : 8) ? "search" : "browse";
      return [
        span,
        {
          ...span,
          spanId: (at + 0x8_000_000).toString(16).padStart(16, "0"),
          parentSpanId: span.spanId,
          name: `execute_tool ${tool}`,
          kind: "internal",
          attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool },
        },
      ];
    });
    expect(onlyOf(withTools).title).toMatch(/The tools .* drift: .*search 80 % → 20 %/);
  });

  it("is none where all stays as it was, or too little is there", () => {
    expect(onlyOf(callsOf([calm, later])).verdict).toBe("holds");
    expect(drift.check(snapshotOfSpans(callsOf([{ ...calm, count: 40 }])))).toEqual([]);
  });

  it("is not called where each window varies as much within itself", () => {
    // Batches of long and of short requests, six minutes each.
    const spans = callsOf([{ count: 800, change: finishing(() => "stop") }]).map((span): Span => {
      const batch = Math.floor((span.startMicros - startMicros) / 360e6);
      return {
        ...span,
        attributes: {
          ...span.attributes,
          "gen_ai.usage.input_tokens":
            [100, 4_000, 150, 3_000, 120, 5_000, 3_500, 4_000, 4_500, 90][batch] ?? 100,
        },
      };
    });
    expect(drift.check(snapshotOfSpans(spans)).map(({ verdict }) => verdict)).not.toContain(
      "violated",
    );
  });
});

describe("drift between versions", () => {
  it("is told by what comes out, and not by what a new prompt puts in", () => {
    const before = { count: 300, attributes: bundle("a") };
    const after = { count: 300, attributes: bundle("b") };
    const finding = onlyOf(callsOf([before, { ...after, outputTokens: 800 }]));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "change" });
    expect(finding.title).toContain("faultline.bundle.hash");
    expect(onlyOf(callsOf([before, { ...after, inputTokens: 4_000 }])).verdict).toBe("holds");
  });
});

describe("forms in which it is told", () => {
  it.each<readonly [string, AttributeValue]>([
    ["gen_ai.response.finish_reasons", '["CONTENT_FILTER"]'],
    ["llm.finish_reason", "refusal"],
    ["gen_ai.response.refusal", "I cannot help with that."],
  ])("a refusal by %s is seen", (key, value) => {
    const refused: NonNullable<Version["change"]> = (span, at) =>
      at % 4 === 0
        ? { ...span, attributes: { ...span.attributes, [key]: value } }
        : finishing(() => "stop")(span, at, () => 0);
    expect(onlyOf(callsOf([calm, { ...later, change: refused }])).actual).toContain(
      "refused 0 % → 25 %",
    );
  });
});

describe("what has nothing to do with it", () => {
  it("order, duplicates and other services change nothing", () => {
    const spans = callsOf([calm, { ...later, outputTokens: 700 }]);
    const told = (list: readonly Span[]): unknown =>
      drift.check(snapshotOfSpans(list)).map(({ verdict, title }) => [verdict, title]);
    expect(told(spans.toReversed())).toEqual(told(spans));
    expect(told([...spans, ...spans])).toEqual(told(spans));
    const few = callsOf([{ count: 30 }], 5).map((span): Span => ({ ...span, service: "other" }));
    expect(told([...spans, ...few])).toEqual(told(spans));
  });
});

describe("over 1,000 simulated pairs of windows without drift", () => {
  const nullCount = 1_000;
  const calledCountMax = 10 + 3 * Math.sqrt(10);

  it.each(["independent calls", "conversations of calls that are alike"])(
    "of %s at most 1 in 100 is called",
    (kind) => {
      let called = 0;
      for (let trial = 0; trial < nullCount; trial += 1) {
        const next = seeded(trial + 5);
        const length = kind === "independent calls" ? 1 : 4;
        const levels = Array.from({ length: 200 }, () => Math.exp(normal(next)));
        const spans = callsOf([{ count: 120 * length }], trial + 1).map((span, at): Span => {
          const conversation = Math.floor(at / length);
          const tokens = length === 1 ? normal(next) : Math.log(levels[conversation] ?? 1) * 3;
          return {
            ...span,
            startMicros: startMicros + ((conversation * 7_919) % 3_600) * 1e6 + at,
            attributes: {
              ...span.attributes,
              "gen_ai.usage.input_tokens": Math.ceil(500 * Math.exp(tokens)),
              "gen_ai.response.finish_reasons": [next() < 0.2 ? "length" : "stop"],
              ...(length === 1 ? {} : { "gen_ai.conversation.id": `conversation-${conversation}` }),
            },
          };
        });
        if (drift.check(snapshotOfSpans(spans)).some(({ verdict }) => verdict === "violated"))
          called += 1;
      }
      expect(called).toBeLessThanOrEqual(calledCountMax);
    },
  );

  it("the tests alone, without any bound of size, keep to a stated rate of 1 in 5", () => {
    let called = 0;
    const contract = drift.with({ errorRateMax: 0.2, stabilityIndexMin: 0, refusalRiseMin: 0 });
    for (let trial = 0; trial < nullCount; trial += 1) {
      const spans = callsOf([{ count: 240 }], trial + 1);
      if (contract.check(snapshotOfSpans(spans)).some(({ verdict }) => verdict !== "holds"))
        called += 1;
    }
    expect(called).toBeLessThanOrEqual(200 + 3 * Math.sqrt(160));
    expect(called).toBeGreaterThan(5);
  });
});
