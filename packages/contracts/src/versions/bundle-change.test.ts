import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { bundleChange } from "./bundle-change.ts";
import { hashOfDocument } from "./bundles/bundle-hash.ts";
import { callsOf, snapshotOfSpans, type Version } from "./canary/canary-maker.ts";

type Document = Readonly<Record<string, unknown>>;

const base: Document = {
  description: "Answers questions.",
  targets: [{ model: "openai/gpt-4o" }],
  parameters: { defaults: { temperature: 0.3, maxTokens: 800 } },
  systemPrompt: {
    text: "You help the customers of {{ shop }}.",
    variables: [{ name: "shop", from: { header: "x-shop" }, default: "us" }],
  },
  tools: [
    {
      name: "find_order",
      parameters: {
        type: "object",
        properties: { number: { type: "string" } },
        required: ["number"],
      },
    },
  ],
  deadlines: { totalMs: 60_000 },
};

function stored(version: number, document: Document): unknown {
  const hash = hashOfDocument(document);
  const summary = {
    name: "support",
    version,
    hash,
    createdAt: `2026-03-0${version}T00:00:00Z`,
    actor: "ana",
  };
  return { summary, bundle: document };
}

function under(version: number, document: Document): Attributes {
  return {
    "faultline.bundle.hash": hashOfDocument(document),
    "faultline.bundle.name": `support@${version}`,
    "faultline.alias": "support",
  };
}

function findingsOf(bundles: readonly unknown[], spans: readonly Span[]): Finding[] {
  const files = bundles.map((bundle, at) => ({
    name: `bundle-${at}.json`,
    bytes: new TextEncoder().encode(JSON.stringify(bundle)),
  }));
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  return checkSnapshot(snapshotOf([...evidence, ...snapshotOfSpans(spans).evidence]), [
    bundleChange,
  ]);
}

function verdictsOf(findings: readonly Finding[]): string[] {
  return findings.map(({ verdict }) => verdict);
}

const changed: Document = {
  ...base,
  description: "Answers questions well.",
  deadlines: { totalMs: 800 },
};

function failing(error: string): NonNullable<Version["change"]> {
  return (span) =>
    span.status.code === "error"
      ? {
          ...span,
          status: { code: "error", message: error },
          attributes: { ...span.attributes, "error.type": error },
        }
      : span;
}

describe("what changed between a healthy and a bad bundle", () => {
  const bundles = [stored(3, base), stored(4, changed)];
  const spans = (after: Document, error: string): Span[] =>
    callsOf([
      { count: 400, attributes: under(3, base) },
      { count: 400, attributes: under(4, after), failureShare: 0.25, change: failing(error) },
    ]);

  it("is named where one change alone has a mechanism for the failures that are seen", () => {
    const finding = findingsOf(bundles, spans(changed, "provider_timeout")).find(
      ({ subject }) => subject.kind === "bundle-change",
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "change",
      measures: { changeCount: 2, candidateCount: 1 },
    });
    expect(finding?.title).toBe(
      "Of 2 changes between support@3 and support@4, only /deadlines/totalMs (60000 → 800) can explain the failures (most are of kind: timeout).",
    );
    expect(finding?.actual).toContain("could not: /description");
  });

  it("is not decided where several could, or none", () => {
    const both: Document = { ...changed, targets: [{ model: "openai/gpt-5" }] };
    const several = findingsOf([bundles[0], stored(4, both)], spans(both, "provider_timeout")).find(
      ({ subject }) => subject.kind === "bundle-change",
    );
    expect(several).toMatchObject({ verdict: "inconclusive", measures: { candidateCount: 2 } });
    expect(several?.missing[0]).toContain("calls under a version that changes");
    const none = findingsOf(bundles, spans(changed, "provider_status_401")).find(
      ({ subject }) => subject.kind === "bundle-change",
    );
    expect(none).toMatchObject({ verdict: "inconclusive", measures: { candidateCount: 0 } });
  });

  it.each<readonly [string, Document, Partial<Version> & { readonly pointer: string }]>([
    [
      "a longer prompt",
      { ...base, systemPrompt: { text: "You help. ".repeat(300) } },
      { durationMs: 2_000, pointer: "/systemPrompt/text" },
    ],
    [
      "more thinking",
      {
        ...base,
        parameters: { defaults: { temperature: 0.3, maxTokens: 800, reasoningEffort: "high" } },
      },
      { durationMs: 2_000, outputTokens: 900, pointer: "/parameters/defaults/reasoningEffort" },
    ],
    [
      "a rule that refuses",
      { ...base, safety: { input: [{ id: "no-cards", action: "refuse" }] } },
      {
        failureShare: 0.3,
        change: failing("content_refused"),
        pointer: "/safety",
      },
    ],
  ])("is found for %s", (_name, after, { pointer, ...version }) => {
    const calls = callsOf([
      { count: 400, attributes: under(3, base) },
      { count: 400, attributes: under(4, after), ...version },
    ]);
    const finding = findingsOf(
      [stored(3, base), stored(4, { ...after, description: "New." })],
      calls,
    ).find(({ subject }) => subject.kind === "bundle-change");
    // The hash of the calls is that of the document without the new description, so nothing is known of it.
    expect(finding).toBeUndefined();
    const known = findingsOf([stored(3, base), stored(4, after)], calls).find(
      ({ subject }) => subject.kind === "bundle-change",
    );
    expect(known?.title).toContain(pointer);
  });

  it("says nothing where both serve alike", () => {
    const calls = callsOf([
      { count: 400, attributes: under(3, base) },
      { count: 400, attributes: under(4, changed) },
    ]);
    expect(verdictsOf(findingsOf(bundles, calls))).toEqual(["holds", "holds"]);
  });
});

describe("the identity of a bundle", () => {
  it("holds where calls were served under what is stored", () => {
    const [finding] = findingsOf(
      [stored(3, base)],
      callsOf([{ count: 5, attributes: under(3, base) }]),
    );
    expect(finding).toMatchObject({
      verdict: "holds",
      subject: { kind: "bundle", name: "support@3" },
    });
  });

  it("is violated where one version is two bundles in two processes, or another than is stored", () => {
    const split = callsOf([
      { count: 5, attributes: under(3, base), resource: { "k8s.pod.name": "gateway-a" } },
      { count: 5, attributes: under(3, changed), resource: { "k8s.pod.name": "gateway-b" } },
    ]);
    const [finding] = findingsOf([], split);
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "identity" });
    expect(finding?.actual).toContain("gateway-b");
    const [other] = findingsOf(
      [stored(3, changed)],
      callsOf([{ count: 5, attributes: under(3, base) }]),
    );
    expect(other).toMatchObject({ verdict: "violated", causeKind: "identity" });
  });

  it("is not judged across tenants, without the version, or of a document that was altered", () => {
    const tenants = callsOf([
      { count: 5, attributes: { ...under(3, base), "faultline.key.id": "key-a" } },
      { count: 5, attributes: { ...under(3, changed), "faultline.key.id": "key-b" } },
    ]);
    expect(findingsOf([], tenants)).toEqual([]);
    expect(
      verdictsOf(
        findingsOf([stored(2, base)], callsOf([{ count: 5, attributes: under(3, changed) }])),
      ),
    ).toEqual(["inconclusive"]);
    const altered = {
      summary: { name: "support", version: 3, hash: hashOfDocument(base) },
      bundle: { ...base, description: "***" },
    };
    expect(
      verdictsOf(findingsOf([altered], callsOf([{ count: 5, attributes: under(3, base) }]))),
    ).toContain("inconclusive");
  });

  it("may be that of several versions of a roll-out", () => {
    const calls = callsOf([
      { count: 5, attributes: under(3, base) },
      { count: 5, attributes: under(4, changed) },
    ]);
    expect(verdictsOf(findingsOf([stored(3, base), stored(4, changed)], calls))).toEqual([
      "holds",
      "holds",
    ]);
  });
});

describe("calls that a version breaks", () => {
  it("by a variable that is not declared", () => {
    const [finding] = findingsOf([{ ...base, systemPrompt: { text: "Hello {{ shop }}." } }], []);
    expect(finding).toMatchObject({ verdict: "violated", subject: { kind: "prompt" } });
    expect(finding?.title).toContain("{{ shop }}");
  });

  it("by a value that requests do not bring", () => {
    const needs: Document = {
      ...base,
      systemPrompt: {
        text: "{{ shop }}",
        variables: [{ name: "shop", from: { header: "x-shop" } }],
      },
    };
    const refused = failing(
      "The bundle's prompt needs the header x-shop, and the request has none.",
    );
    const calls = callsOf([
      {
        count: 20,
        attributes: under(4, needs),
        failureShare: 0.5,
        change: refused,
      },
    ]);
    const finding = findingsOf([stored(4, needs)], calls).find(
      ({ subject }) => subject.kind === "prompt",
    );
    expect(finding).toMatchObject({ verdict: "violated", measures: { callCount: 20 } });
    expect(finding?.title).toContain("x-shop");
  });

  it.each<readonly [string, Document, { readonly given: unknown; readonly words?: string }]>([
    [
      "that give an argument that is gone",
      { orderNumber: { type: "string" } },
      { given: { number: "7" }, words: "still give number, which it no longer has" },
    ],
    [
      "that lack one that is newly required",
      { number: { type: "string" }, region: { type: "string" } },
      { given: { number: "7" }, words: "lack region, which it now requires" },
    ],
    [
      "that fit",
      { number: { type: "string" }, region: { type: "string" } },
      { given: { number: "7", region: "eu" } },
    ],
  ])("by arguments of tools: calls %s", (_name, properties, { given, words }) => {
    const tools = [
      {
        name: "find_order",
        parameters: { type: "object", properties, required: Object.keys(properties) },
      },
    ];
    const newer: Document = { ...base, tools };
    const said = JSON.stringify([
      {
        role: "assistant",
        parts: [{ type: "tool_call", id: "c1", name: "find_order", arguments: given }],
      },
    ]);
    const calls = callsOf([
      { count: 10, attributes: { ...under(4, newer), "gen_ai.output.messages": said } },
    ]);
    const finding = findingsOf([stored(3, base), stored(4, newer)], calls).find(
      ({ subject }) => subject.kind === "tool",
    );
    if (words === undefined) expect(finding).toBeUndefined();
    else expect(finding?.title).toBe(`10 of 10 calls of find_order under support@4 ${words}.`);
  });
});

it("whatever a document holds, there is no crash", () => {
  const odd: Document = {
    targets: [{ model: "a/b" }],
    tools: [null, 3, { name: 1 }],
    systemPrompt: { text: 7, variables: "x" },
    safety: [],
    deadlines: null,
  };
  for (const { verdict } of findingsOf(
    [stored(1, odd), stored(2, { ...odd, tools: {} })],
    callsOf([{ count: 3, attributes: under(1, odd) }]),
  )) {
    expect(verdict).not.toBe("violated");
  }
});
