import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { bundle, callsOf, snapshotOfSpans, type Version } from "./canary/canary-maker.ts";
import { canary } from "./canary.ts";

function findingsOf(
  versions: readonly Version[],
  settings: Readonly<Record<string, unknown>> = {},
): Finding[] {
  return canary.with(settings).check(snapshotOfSpans(callsOf(versions)));
}

function onlyOf(
  versions: readonly Version[],
  settings: Readonly<Record<string, unknown>> = {},
): Finding {
  const [finding, ...others] = findingsOf(versions, settings);
  expect(others).toEqual([]);
  if (finding === undefined) throw new Error("There is no finding.");
  return finding;
}

const old: Version = { count: 400, resource: { "service.version": "1.4.0" } };
const next: Version = { count: 380, resource: { "service.version": "1.5.0" } };

describe("a canary", () => {
  it("that fails more often is called with both shares and their interval", () => {
    const finding = onlyOf([old, { ...next, failureShare: 0.15 }]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "canary", name: "assistant, chat: service.version" },
      causeKind: "change",
    });
    expect(finding.title).toMatch(
      /^service\.version 1\.5\.0 fails more often: 1\d(?:\.\d)? % against [123](?:\.\d)? % of 1\.4\.0\.$/,
    );
    expect(finding.evidence[0]?.quote).toContain("service.version=1.5.0");
    expect(finding.evidence[0]?.quote).toContain("upstream failed");
  });

  it.each([
    ["slower", { durationMs: 1_400 }, /is slower: (?:duration|first token) p\d\d/],
    ["dearer in tokens", { outputTokens: 600 }, /takes more tokens: output tokens p\d\d/],
  ])("that is %s is called", (_name, change, title) => {
    const finding = onlyOf([old, { ...next, ...change }]);
    expect(finding.verdict).toBe("violated");
    expect(finding.title).toMatch(title);
  });

  it("that is slower only in its tail is called by the p95", () => {
    const finding = onlyOf([
      { ...old, count: 1_500 },
      {
        ...next,
        count: 1_500,
        change: (span, at) =>
          at % 8 === 0 ? { ...span, durationNanos: span.durationNanos * 6 } : span,
      },
    ]);
    expect(finding.title).toMatch(/is slower: duration p95/);
  });

  it("that serves alike holds, and says what could not have been seen", () => {
    const finding = onlyOf([
      { ...old, count: 2_000 },
      { ...next, count: 1_900 },
    ]);
    expect(finding.verdict).toBe("holds");
    expect(finding.title).toMatch(
      /a rise of failures of less than [1-3](?:\.\d)? points could not be seen/,
    );
  });

  it("of too few calls is inconclusive with the rise that could not be seen", () => {
    const finding = onlyOf([
      { ...old, count: 60 },
      { ...next, count: 50 },
    ]);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.title).toMatch(/with 50 against 60 units .* could not be seen/);
    const rare = onlyOf([old, { ...next, count: 7, failureShare: 1 }]);
    expect(rare).toMatchObject({ verdict: "inconclusive" });
    expect(rare.title).toContain("1.5.0 (7)");
  });

  it("that is better holds", () => {
    const finding = onlyOf([
      { ...old, failureShare: 0.2, count: 1_500 },
      { ...next, failureShare: 0.02, count: 1_500, durationMs: 500 },
    ]);
    expect(finding.verdict).toBe("holds");
  });

  it("is found by the hash of its bundle, its prompt, a flag, or a release of its model", () => {
    const pairs: readonly (readonly [string, Attributes, Attributes])[] = [
      ["faultline.bundle.hash", bundle("a"), bundle("b")],
      [
        "prompt.version",
        { "gen_ai.prompt.name": "answer", "prompt.version": 3 },
        { "gen_ai.prompt.name": "answer", "prompt.version": 4 },
      ],
      [
        "feature_flag.new-planner",
        { "feature_flag.new-planner": "off" },
        { "feature_flag.new-planner": "on" },
      ],
      [
        "gen_ai.response.model",
        { "gen_ai.response.model": "gpt-4o-2024-05-13" },
        { "gen_ai.response.model": "gpt-4o-2024-08-06" },
      ],
    ];
    for (const [key, before, after] of pairs) {
      const finding = onlyOf([
        { count: 400, attributes: before },
        { count: 380, attributes: after, failureShare: 0.2 },
      ]);
      expect(finding).toMatchObject({ verdict: "violated", measures: { attribute: key } });
    }
  });

  it("by a flag that an event of the trace tells of is found as well", () => {
    const flagged =
      (variant: string) =>
      (span: Span): Span => ({
        ...span,
        events: [
          {
            name: "feature_flag.evaluation",
            timeMicros: span.startMicros,
            attributes: { "feature_flag.key": "planner", "feature_flag.result.variant": variant },
          },
        ],
      });
    const finding = onlyOf([
      { count: 400, change: flagged("off") },
      { count: 380, change: flagged("on"), failureShare: 0.2 },
    ]);
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "configuration",
      measures: { attribute: "feature_flag.planner" },
    });
  });

  it("is found among the requests of any service, not of models alone", () => {
    const served = (span: Span): Span => ({
      ...span,
      name: "GET /orders/{id}",
      kind: "server",
      attributes: { "http.request.method": "GET", "http.route": "/orders/{id}" },
    });
    const finding = onlyOf([
      { ...old, change: served },
      { ...next, change: served, failureShare: 0.15 },
    ]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "assistant: service.version" },
    });
    expect(finding.actual).toContain("GET /orders/{id}: failures");
  });
});

describe("two versions that differ in more than one component", () => {
  it("are confounded, with what goes together and what would separate it", () => {
    const finding = onlyOf([
      { ...old, attributes: { "gen_ai.request.model": "gpt-4o" } },
      { ...next, attributes: { "gen_ai.request.model": "gpt-5" }, failureShare: 0.3 },
    ]);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.title).toContain("confounded");
    expect(finding.actual).toContain("release (1.4.0 → 1.5.0), model (gpt-4o → gpt-5)");
    expect(finding.missing).toEqual([
      "calls with service.version 1.5.0 and gen_ai.request.model gpt-4o, or with 1.4.0 and gpt-5",
    ]);
  });

  it("are not confounded by what a bundle changes alone, or by a label", () => {
    const finding = onlyOf([
      { count: 400, attributes: { ...bundle("a"), "gen_ai.request.model": "gpt-4o" } },
      {
        count: 380,
        attributes: { ...bundle("b"), "gen_ai.request.model": "gpt-5" },
        failureShare: 0.2,
      },
    ]);
    expect(finding).toMatchObject({ verdict: "violated", measures: { component: "bundle" } });
    expect(finding.actual).toContain("With it goes model (gpt-4o → gpt-5)");
    const labelled = onlyOf([
      { ...old, attributes: { "deployment.track": "stable" } },
      { ...next, attributes: { "deployment.track": "canary" }, failureShare: 0.2 },
    ]);
    expect(labelled).toMatchObject({ verdict: "violated", measures: { component: "release" } });
  });

  it("are not confounded by a flag that both have as often", () => {
    const mixed = (span: Span, at: number): Span => ({
      ...span,
      attributes: { ...span.attributes, "feature_flag.blue": at % 2 === 0 ? "on" : "off" },
    });
    const findings = findingsOf([
      { ...old, change: mixed },
      { ...next, change: mixed, failureShare: 0.2 },
    ]);
    expect(findings.map(({ verdict, measures }) => [verdict, measures["attribute"]])).toEqual([
      ["violated", "service.version"],
      ["inconclusive", "feature_flag.blue"],
    ]);
  });
});

describe("what is no canary", () => {
  it("two models for two purposes are not compared, unless a user names their attribute", () => {
    const models: readonly Version[] = [
      { count: 400, attributes: { "gen_ai.request.model": "gpt-4o" }, durationMs: 2_000 },
      { count: 380, attributes: { "gen_ai.request.model": "gpt-4o-mini" }, failureShare: 0.2 },
    ];
    expect(findingsOf(models)).toEqual([]);
    expect(onlyOf(models, { component: "gen_ai.request.model" }).verdict).toBe("violated");
  });

  it("staging is not compared with production", () => {
    const staging = { "service.version": "1.5.0", "deployment.environment.name": "staging" };
    const production = { "service.version": "1.4.0", "deployment.environment.name": "production" };
    expect(
      findingsOf([
        { ...old, resource: production },
        { ...next, resource: staging, failureShare: 0.5 },
      ]),
    ).toEqual([]);
  });

  it("a version alone, and a target that takes what another failed, give nothing", () => {
    expect(findingsOf([old])).toEqual([]);
    const first = callsOf([{ count: 300, failureShare: 0.3, attributes: bundle("a") }]);
    const retries = first
      .filter(({ status }) => status.code === "error")
      .map((span, at): Span => ({
        ...span,
        spanId: (at + 0x9_000_000).toString(16).padStart(16, "0"),
        startMicros: span.startMicros + 1e6,
        attributes: { ...span.attributes, ...bundle("b") },
      }));
    expect(
      canary
        .check(snapshotOfSpans([...first, ...retries]))
        .filter(({ verdict }) => verdict === "violated"),
    ).toEqual([]);
  });
});

describe("time and cohorts", () => {
  it("an outage that hits one version's hours more is not laid at its door", () => {
    // The roll-out grows from a tenth to nine tenths, and from the middle on everything fails more often.
    const outage = (span: Span, _at: number, random: () => number): Span =>
      span.startMicros > 1_750_000_000_000_000 + 1_800e6 && random() < 0.3
        ? { ...span, status: { code: "error" } }
        : span;
    const versions: readonly Version[] = [
      { ...old, count: 900, to: 0.5, change: outage },
      { ...old, count: 100, from: 0.5, change: outage },
      { ...next, count: 100, to: 0.5, change: outage },
      { ...next, count: 900, from: 0.5, change: outage },
    ];
    expect(onlyOf(versions).verdict).toBe("inconclusive");
  });

  it("a cohort that fails more often and is sent to one version explains a difference", () => {
    const tier =
      (share: number) =>
      (span: Span, at: number, random: () => number): Span => {
        const isFree = (at * 7) % 100 < share * 100;
        const fails = random() < (isFree ? 0.4 : 0.02);
        return {
          ...span,
          status: fails ? { code: "error" } : { code: "unset" },
          attributes: { ...span.attributes, "user.tier": isFree ? "free" : "paid" },
        };
      };
    const finding = onlyOf([
      { ...old, count: 800, change: tier(0.2) },
      { ...next, count: 800, change: tier(0.6) },
    ]);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.title).toContain("time or the mix of callers explains it as well");
  });

  it("versions that served one after the other are at fault for a step and not for a slope", () => {
    const before = { ...old, to: 0.5 };
    const after = { ...next, from: 0.5 };
    expect(onlyOf([before, { ...after, failureShare: 0.3 }]).verdict).toBe("violated");
    const slope = (span: Span, _at: number, random: () => number): Span => ({
      ...span,
      status:
        random() < 0.5 * ((span.startMicros - 1_750_000_000_000_000) / 3_600e6)
          ? { code: "error" }
          : { code: "unset" },
    });
    expect(
      onlyOf([
        { ...before, change: slope },
        { ...after, change: slope },
      ]).verdict,
    ).toBe("inconclusive");
  });
});

describe("what looks like a worse version and is none", () => {
  const hourOf = ({ startMicros }: Span): number => (startMicros - 1_750_000_000_000_000) / 3_600e6;
  const slowing = (span: Span): Span => ({
    ...span,
    durationNanos: Math.round(span.durationNanos * (1 + 3 * hourOf(span))),
  });
  const serving =
    (attributes: Attributes): NonNullable<Version["change"]> =>
    (span) => ({ ...span, kind: "server", name: "GET /items", attributes });

  it.each<readonly [string, readonly Version[]]>([
    [
      "load that rises over both",
      [
        { ...old, count: 500, to: 0.5, change: slowing },
        { ...next, count: 500, from: 0.5, change: slowing },
      ],
    ],
    [
      "a gap in which anything may have happened",
      [
        { ...old, to: 0.1 },
        { ...next, from: 0.9, durationMs: 1_400 },
      ],
    ],
    [
      "another region",
      [
        { ...old, resource: { "service.version": "1.4.0", "cloud.region": "eu" } },
        {
          ...next,
          resource: { "service.version": "1.5.0", "cloud.region": "us" },
          durationMs: 1_500,
        },
      ],
    ],
    [
      "clients and products of two kinds",
      [
        {
          count: 400,
          change: serving({ "app.version": "9.1", variant: "red", version: "2" }),
          failureShare: 0.3,
        },
        { count: 400, change: serving({ "app.version": "8.7", variant: "blue", version: "1" }) },
      ],
    ],
    [
      "a worker that has the name of the service",
      [
        { ...old, change: serving({}) },
        {
          ...next,
          change: (span) => ({ ...span, kind: "consumer", name: "job" }),
          failureShare: 0.4,
        },
      ],
    ],
    [
      "limits of a tenant",
      [
        old,
        {
          ...next,
          change: (span, at) =>
            at % 4 === 0
              ? {
                  ...span,
                  status: { code: "error" },
                  attributes: { ...span.attributes, "faultline.limit": "requests" },
                }
              : span,
        },
      ],
    ],
    [
      "a prompt that is longer",
      [
        { count: 600, attributes: { "gen_ai.prompt.name": "a", "prompt.version": "1" } },
        {
          count: 600,
          attributes: { "gen_ai.prompt.name": "a", "prompt.version": "2" },
          inputTokens: 1_800,
        },
      ],
    ],
  ])("%s", (_name, versions) => {
    expect(findingsOf(versions).map(({ verdict }) => verdict)).not.toContain("violated");
  });
});

describe("the same requests under both versions", () => {
  const keyed = (span: Span, at: number): Span => ({
    ...span,
    durationNanos: Math.round((1 + (at % 50)) * 40e6 * (span.durationNanos > 8e8 ? 1.02 : 0.98)),
    attributes: { ...span.attributes, "eval.case.id": `case-${at}` },
  });

  it("are compared pair by pair, which sees what populations hide", () => {
    const slower = (span: Span, at: number): Span => {
      const made = keyed(span, at);
      return { ...made, durationNanos: Math.round(made.durationNanos * 1.25) };
    };
    const cases = { count: 50, failureShare: 0 };
    const finding = onlyOf([
      { ...old, ...cases, change: keyed },
      { ...next, ...cases, change: slower },
    ]);
    expect(finding.verdict).toBe("violated");
    expect(finding.title).toContain("duration of the same request");
    expect(finding.actual).toContain("in 50 pairs");
  });

  it("that fail under the newer one alone are counted by McNemar's test", () => {
    const finding = onlyOf([
      { ...old, count: 60, failureShare: 0, change: keyed },
      {
        ...next,
        count: 60,
        failureShare: 0,
        change: (span, at) => ({
          ...keyed(span, at),
          status: at % 3 === 0 ? { code: "error" } : { code: "ok" },
        }),
      },
    ]);
    expect(finding.title).toContain("fails more often: 33 % against 0 %");
  });
});

describe("looks while evidence comes in", () => {
  const versions = [old, { ...next, failureShare: 0.085 }];

  it("are stricter early on, as O'Brien and Fleming spend", () => {
    const chanceAt = (look: number): number =>
      Number(onlyOf(versions, { lookCount: 5, look }).measures["chanceOfEachTest"]);
    expect(chanceAt(1)).toBeLessThan(1e-6);
    expect(chanceAt(3)).toBeLessThan(chanceAt(5));
    expect(onlyOf(versions, { lookCount: 5, look: 1 }).verdict).not.toBe("violated");
    expect(
      onlyOf(versions, { lookCount: 5, look: 1, spending: "pocock" }).measures["chanceOfEachTest"],
    ).toBeGreaterThan(1e-5);
  });
});

describe("what has nothing to do with it", () => {
  it("order, duplicates, other services and other ids change nothing", () => {
    const spans = callsOf([old, { ...next, failureShare: 0.15 }]);
    const told = (list: readonly Span[]): unknown =>
      canary
        .check(snapshotOfSpans(list))
        .map(({ verdict, title, subject }) => [verdict, title, subject]);
    const expected = told(spans);
    expect(told(spans.toReversed())).toEqual(expected);
    expect(told([...spans, ...spans])).toEqual(expected);
    const others = callsOf([{ count: 200 }], 99).map((span): Span => ({
      ...span,
      traceId: span.traceId.replace(/^0/, "f"),
      service: "other",
      resource: { "service.name": "other" },
    }));
    expect(told([...spans, ...others])).toEqual(expected);
    const renamed = spans.map((span): Span => ({ ...span, service: "helper" }));
    expect(canary.check(snapshotOfSpans(renamed))[0]?.verdict).toBe("violated");
  });

  it("what values do not fit is no crash", () => {
    const odd = callsOf([old, next]).map((span, at): Span => ({
      ...span,
      durationNanos: at % 3 === 0 ? 0 : span.durationNanos,
      attributes: {
        ...span.attributes,
        "gen_ai.usage.output_tokens": at % 2 === 0 ? "many" : { deep: [null] },
        "gen_ai.prompt.version": at % 2 === 0 ? ["a", null] : { x: 1 },
        "faultline.cost.micros": -1,
      },
    }));
    for (const { verdict } of canary.check(snapshotOfSpans(odd)))
      expect(verdict).not.toBe("violated");
  });
});
