import { describe, expect, it } from "vitest";

import type { LogLine } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { Attributes } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { snapshotOfSpans, spansOf } from "../traces/trace-builder.ts";
import { seeded } from "./incident-maker.ts";
import { separatingAttribute } from "./separating-attribute.ts";

interface Request {
  readonly millis: number;
  readonly attributes: Attributes;
}

/** One request each minute, none of which fails. */
function check(requests: readonly Request[]): Finding[] {
  const traces = requests.map(({ millis, attributes }, index) =>
    spansOf(
      {
        name: "GET /orders",
        kind: "server",
        durationMicros: millis * 1_000,
        children: [{ name: "load", attributes }],
      },
      index + 1,
    ),
  );
  return separatingAttribute.check(snapshotOfSpans(...traces));
}

function requests(count: number, make: (index: number, chance: number) => Request): Request[] {
  const next = seeded(11);
  return Array.from({ length: count }, (_, index) => make(index, next()));
}

describe("an attribute of slow requests", () => {
  it("is blamed where they are slow by far, at any time", () => {
    const [finding] = check(
      requests(200, (index, chance) => {
        const isLarge = index % 5 === 0;
        return {
          millis: (isLarge ? 900 : 100) + 10 * chance,
          attributes: { "cart.kind": isLarge ? "wholesale" : "private" },
        };
      }),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { attribute: "cart.kind=wholesale", badCount: 40, goodCount: 160 },
    });
  });

  it("can be a number that is larger or smaller in the slow ones", () => {
    for (const sign of [1, -1]) {
      const [finding] = check(
        requests(200, (index, chance) => {
          const isSlow = index % 7 === 0;
          const size = isSlow ? 5_000 + 900 * chance : 50 + 900 * chance;
          return { millis: isSlow ? 900 : 100 + chance, attributes: { "cart.size": sign * size } };
        }),
      );
      expect(finding).toMatchObject({
        verdict: "violated",
        measures: { attribute: "cart.size" },
      });
    }
  });

  it("is a companion where they take only little longer", () => {
    const [finding] = check(
      requests(200, (index, chance) => ({
        millis: (index % 5 === 0 ? 25 : 8) + chance,
        attributes: { "cart.kind": index % 5 === 0 ? "wholesale" : "private" },
      })),
    );
    expect(finding).toMatchObject({ verdict: "inconclusive", causeKind: "none" });
    expect(finding?.title).toContain("cart.kind=wholesale");
    expect(finding?.missing[0]).toContain("at least 3 times as long as usual and 50 ms more");
  });

  it("is a companion where it names who served them, or in what order", () => {
    for (const key of ["k8s.pod.name", "worker", "batch.index", "net.peer.name"]) {
      const [finding] = check(
        requests(200, (index, chance) => ({
          millis: (index % 5 === 0 ? 900 : 100) + 10 * chance,
          attributes: { [key]: index % 5 === 0 ? "a" : "b" },
        })),
      );
      expect(finding?.verdict, key).toBe("inconclusive");
      expect(finding?.missing[0]).toContain("how busy the machines were");
    }
  });

  it("is a companion where it is a place in a list, which long lists alone have", () => {
    const [finding] = check(
      requests(200, (index, chance) => ({
        millis: (index % 5 === 0 ? 900 : 100) + 10 * chance,
        attributes: { "graphql.field.path": `orders.${index % 5 === 0 ? 10 : 1}.customer` },
      })),
    );
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing[0]).toContain("of one length");
  });

  it("is a companion where it came when the slowness came, as fast requests of that time have it as well", () => {
    const [finding] = check(
      requests(240, (index, chance) => {
        const isBusy = index >= 120 && index < 180;
        return {
          millis: isBusy && chance < 0.6 ? 900 : 100 + 10 * chance,
          attributes: { "cart.kind": isBusy ? "wholesale" : "private" },
        };
      }),
    );
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toEqual([
      "requests with another value at the same time, under the same load",
    ]);
  });

  it("is what is left when those are taken off", () => {
    const [finding] = check(
      requests(200, (index, chance) => {
        const isLarge = index % 5 === 0;
        return {
          millis: (isLarge ? 900 : 100) + 10 * chance,
          attributes: {
            "k8s.pod.name": isLarge ? "a" : "b",
            "cart.kind": isLarge ? "wholesale" : "private",
          },
        };
      }),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { attribute: "cart.kind=wholesale", ranked: "cart.kind=wholesale" },
    });
  });
});

describe("populations that are large", () => {
  const lineOf = (index: number, isBad: boolean): LogLine => ({
    timeMicros: 1_700_000_000_000_000 + index,
    severity: isBad ? "error" : "info",
    text: "done",
    traceId: (index + 1).toString(16).padStart(32, "0"),
    attributes: { tenant: isBad ? "north" : `tenant-${index % 50}` },
  });

  it("are counted whole, and compared by a sample that does not depend on their order", () => {
    const lines = Array.from({ length: 12_000 }, (_, index) => lineOf(index, index % 4 === 0));
    const found = [lines, lines.toReversed()].map((list) =>
      separatingAttribute.check(
        createSnapshot([
          {
            source: { name: "app.log", format: "ndjson", notes: [] },
            content: { kind: "logs", lines: list },
          },
        ]),
      ),
    );
    expect(found[0]).toMatchObject([
      {
        verdict: "violated",
        subject: { name: "requests that logged an error" },
        measures: { attribute: "tenant=north", badCount: 3_000, goodCount: 9_000 },
      },
    ]);
    expect(found[0]?.[0]?.actual).toContain("100 % of the bad (1000 of 1000)");
    expect(found[1]?.map(({ measures }) => measures)).toEqual(
      found[0]?.map(({ measures }) => measures),
    );
  });

  it("have a member once, however many lines it has, and it is bad once one of them is", () => {
    const lines = Array.from({ length: 40 }, (_, index) => lineOf(index, false)).flatMap(
      (line, index) => [
        line,
        { ...line, severity: index < 20 ? ("fatal" as const) : ("warn" as const) },
      ],
    );
    const [finding] = separatingAttribute.check(
      createSnapshot([
        {
          source: { name: "app.log", format: "ndjson", notes: [] },
          content: { kind: "logs", lines },
        },
      ]),
    );
    expect(finding?.measures).toMatchObject({ badCount: 20, goodCount: 20 });
  });
});
