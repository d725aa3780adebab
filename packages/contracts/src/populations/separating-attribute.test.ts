import { describe, expect, it } from "vitest";

import type { Attributes, Span } from "../model/span.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { spansOf } from "../traces/trace-builder.ts";
import { seeded } from "./incident-maker.ts";
import { separatingAttribute } from "./separating-attribute.ts";

interface Request {
  readonly isBad: boolean;
  readonly attributes: Attributes;
}

function snapshotOfRequests(requests: readonly Request[]): Snapshot {
  return createSnapshot(
    requests.map(({ isBad, attributes }, index) => {
      const spans: Span[] = spansOf(
        {
          name: "POST /orders",
          kind: "server",
          ...(isBad ? { status: "error" as const } : {}),
          attributes: { "request.id": `r${index}`, "http.status_code": isBad ? 500 : 200 },
          children: [{ name: "charge", kind: "client", attributes }],
        },
        index + 1,
      );
      return {
        source: { name: "t", format: "test", notes: [] },
        content: { kind: "trace", traceId: spans[0]?.traceId ?? "", spans },
      };
    }),
  );
}

/** Requests of which every fifth is of the new release, and a share of those fails. */
function requests(count: number, failsOf: (isNew: boolean, chance: number) => boolean): Request[] {
  const next = seeded(5);
  return Array.from({ length: count }, () => {
    const isNew = next() < 0.2;
    return {
      isBad: failsOf(isNew, next()),
      attributes: {
        version: isNew ? "2.3" : "2.2",
        region: `region-${Math.floor(next() * 4)}`,
        "payload.bytes": Math.floor(next() * 10_000),
        customer: `customer-${Math.floor(next() * 200)}`,
      },
    };
  });
}

describe("what separates requests that fail", () => {
  it("is the release that fails, and not the status that says so", () => {
    const population = requests(400, (isNew, chance) => isNew && chance < 0.9);
    const [finding] = separatingAttribute.check(snapshotOfRequests(population));
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "change",
      measures: { attribute: "version=2.3" },
    });
    expect(finding?.actual).not.toContain("status");
  });

  it("can be a number", () => {
    const population = requests(300, () => false).map((request) => ({
      ...request,
      isBad: Number(request.attributes["payload.bytes"]) > 8_000,
    }));
    const [finding] = separatingAttribute.check(snapshotOfRequests(population));
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { attribute: "payload.bytes" },
    });
    expect(finding?.actual).toContain("larger in the bad");
  });

  it("is nothing when failures fall anywhere", () => {
    const population = requests(400, (_isNew, chance) => chance < 0.15);
    expect(separatingAttribute.check(snapshotOfRequests(population))).toMatchObject([
      { verdict: "holds" },
    ]);
  });

  it("is not asked for a few failures, and lacks something when nothing succeeds", () => {
    const few = requests(100, () => false).map((request, index) => ({
      ...request,
      isBad: index < 3,
    }));
    expect(separatingAttribute.check(snapshotOfRequests(few))).toEqual([]);
    const all = requests(30, () => true);
    const [finding] = separatingAttribute.check(snapshotOfRequests(all));
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing).toEqual(["traces of requests that succeed, of the same operations"]);
  });

  it("is the same in any order and beside evidence of something else", () => {
    const population = requests(200, (isNew) => isNew);
    const before = separatingAttribute.check(snapshotOfRequests(population));
    const other = createSnapshot([
      ...snapshotOfRequests(population).evidence.toReversed(),
      {
        source: { name: "e", format: "test", notes: [] },
        content: { kind: "environment", name: "ci", facts: { LANG: "C" } },
      },
    ]);
    expect(separatingAttribute.check(other)).toEqual(before);
  });
});
