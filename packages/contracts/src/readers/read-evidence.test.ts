import { assert, constantFrom, integer, property, string, tuple, uint8Array } from "fast-check";
import { gzipSync, unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";

import { graphqlOrders, spansOf } from "../traces/trace-builder.ts";
import type { Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { encodeSnapshotFile } from "../snapshot/file.ts";
import { EvidenceError } from "./evidence-error.ts";
import { expandsBeyond, Expander } from "./expand.ts";
import { evidenceLimits } from "./limits.ts";
import { readEvidence } from "./read-evidence.ts";
import { traceContentOf } from "./merge-evidence.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const file = (name: string, text: string) => ({ name, bytes: bytesOf(text) });
const pod = (name: string): string =>
  JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" } });
const node = "apiVersion: v1\nkind: Node\nmetadata:\n  name: n1\n";

/** Spans as an OTLP JSON request. */
function otlp(spans: readonly Span[]): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] },
        scopeSpans: [
          {
            scope: { name: "test" },
            spans: spans.map(({ traceId, spanId, parentSpanId, name, startMicros }) => ({
              traceId,
              spanId,
              ...(parentSpanId === undefined ? {} : { parentSpanId }),
              name,
              startTimeUnixNano: `${startMicros}000`,
              endTimeUnixNano: `${startMicros}500`,
            })),
          },
        ],
      },
    ],
  });
}
const spans = spansOf(graphqlOrders(3, "one-by-one"));

describe("readEvidence", () => {
  it("joins the objects of several files into one piece of evidence, whatever the order", () => {
    const files = [file("pods.json", pod("web")), file("nodes.yaml", node)];
    const { evidence, unreadable } = readEvidence(files);
    expect(unreadable).toEqual([]);
    expect(evidence).toMatchObject([
      {
        source: { name: "nodes.yaml, pods.json" },
        content: { kind: "kubernetes", objects: [{ kind: "Node" }, { kind: "Pod" }] },
      },
    ]);
    expect(readEvidence(files.toReversed()).evidence).toEqual(evidence);
  });

  it("joins the spans of one trace across files, and keeps traces apart", () => {
    const other = spansOf(graphqlOrders(2, "batched"), 2);
    const { evidence } = readEvidence([
      file("a.json", otlp([...spans.slice(0, 4), ...other])),
      file("b.json", otlp(spans.slice(2))),
    ]);
    const counts = evidence.map(({ content }) =>
      content.kind === "trace" ? content.spans.length : 0,
    );
    expect(counts.toSorted((a, b) => a - b)).toEqual(
      [other.length, spans.length].toSorted((a, b) => a - b),
    );
  });

  it("gives the same evidence for one request and for its lines", () => {
    const lines = `${otlp(spans.slice(0, 3))}\n${otlp(spans.slice(3))}\n`;
    expect(readEvidence([file("x", lines)]).evidence).toEqual(
      readEvidence([file("x", otlp(spans))]).evidence,
    );
  });

  it("reads what is compressed, and snapshots as they were frozen", () => {
    const { evidence } = readEvidence([file("x", otlp(spans))]);
    const frozen = encodeSnapshotFile(createSnapshot(evidence));
    for (const bytes of [gzipSync(bytesOf(otlp(spans))), frozen, gzipSync(frozen)]) {
      expect(readEvidence([{ name: "x", bytes }]).evidence.map((item) => item.id)).toEqual(
        evidence.map((item) => item.id),
      );
    }
  });

  it("reads UTF-16 with a byte order mark", () => {
    const bytes = new Uint8Array([
      0xff,
      0xfe,
      ...Array.from(pod("web"), (letter) => [letter.charCodeAt(0), 0]).flat(),
    ]);
    expect(readEvidence([{ name: "x", bytes }]).evidence).toHaveLength(1);
  });

  it("goes on after a file that cannot be read, and says why it cannot", () => {
    const { evidence, unreadable } = readEvidence([
      file("bad.txt", "hello"),
      file("pod.json", pod("web")),
    ]);
    expect(evidence).toHaveLength(1);
    expect(unreadable).toMatchObject([{ name: "bad.txt", where: "line 1, column 1" }]);
    expect(unreadable[0]?.expected).toContain("OTLP");
  });

  it.each([
    ["an empty file", bytesOf(""), /empty/, "byte 0"],
    ["JSON that ends too early", bytesOf('{\n "a": [1,'), /ends too early/, "line 2, column 10"],
    ["JSON that is malformed", bytesOf('{\n "a" 1}'), /malformed/, "line 2, column 6"],
    ["text that is not UTF-8", bytesOf("apiVersion: v1\n").with(3, 0xff), /not UTF-8/, "byte 3"],
    ["a program", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]), /no known format/, undefined],
    ["cut protobuf", new Uint8Array([0x0a, 0xff, 0x01, 0x0a, 0x02]), /protobuf/, undefined],
    ["cut gzip", gzipSync(bytesOf("hello hello hello")).slice(0, 12), /gzip/, undefined],
    ["a cut snapshot", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]), /zip/, undefined],
    ["OTLP without a record", bytesOf('{"resourceLogs":[]}'), /no log records/, undefined],
    ["deep JSON", bytesOf("[".repeat(1_000)), /nested/, "line 1, column 201"],
  ] as const)("names the fault of %s", (...fault) => {
    const [, bytes, message, where] = fault;
    const { unreadable } = readEvidence([{ name: "x", bytes }]);
    expect(unreadable).toHaveLength(1);
    expect(unreadable[0]?.message).toMatch(message);
    if (where !== undefined) expect(unreadable[0]?.where).toBe(where);
  });

  it.each([
    ["a list", '[{"trace_id":"a","span_id":"b","parent_id":null,"name":"x"}]'],
    ["one span", '{"traceId":"a","id":"b","name":"x"}'],
    ["lines", '{"trace_id":"a","span_id":"b"}\n{"trace_id":"a","span_id":"c","parent_id":"b"}\n'],
  ])("tells that %s of spans is in no known form", (_, text) => {
    const [unreadable] = readEvidence([file("spans.json", text)]).unreadable;
    expect(unreadable?.message).toBe("It looks like spans, but in no known form.");
    expect(unreadable?.expected).toContain("`resourceSpans`");
  });

  it("takes other JSON for what it is", () => {
    for (const text of ['{"id":1,"name":"x"}', "[1,2]", '{"trace_id":"a"}']) {
      expect(readEvidence([file("x.json", text)]).unreadable).toMatchObject([
        { message: "The file is in no known format." },
      ]);
    }
  });

  it("does not call text below a header in JSON malformed", () => {
    const header = '{"tool_name":"fetch_status","match_params":{"pod_name":"x"}}';
    const { unreadable } = readEvidence([file("status.txt", `${header}\n\nno route\n`)]);
    expect(unreadable).toMatchObject([
      { message: expect.stringContaining("first line is JSON"), where: "line 3, column 1" },
    ]);
    expect(unreadable[0]?.expected).toContain("OTLP");
  });

  it("words equal faults of several files alike, without their names", () => {
    const files = ["a", "b"].map((name) => file(`${name}.yaml`, "apiVersion: v1\nkind: Pod\n"));
    const { unreadable } = readEvidence(files);
    expect(unreadable.map(({ message }) => message)).toEqual(
      files.map(() => "It holds no Kubernetes object."),
    );
  });

  it("says which snapshot has the wrong hash", () => {
    const { evidence } = readEvidence([file("x", pod("web"))]);
    const entries = unzipSync(encodeSnapshotFile(createSnapshot(evidence)));
    for (const name of Object.keys(entries)) {
      if (name.startsWith("evidence/"))
        entries[name] = new TextEncoder().encode('{"kind":"kubernetes","objects":[]}');
    }
    const { unreadable } = readEvidence([{ name: "s.faultline", bytes: zipSync(entries) }]);
    expect(unreadable).toMatchObject([{ name: "s.faultline", code: "snapshot_corrupt" }]);
  });

  it("keeps the most complete of the spans that share an id", () => {
    const [span] = spans;
    if (span === undefined) throw new Error("the trace has spans");
    const started = { ...span, durationNanos: 0 };
    for (const list of [
      [started, span],
      [span, started],
    ]) {
      expect(traceContentOf(span.traceId, list).spans).toEqual([span]);
    }
  });
});

describe("decompression", () => {
  it("stops at the limit instead of expanding a bomb", () => {
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));
    let expandedBytes = 0;
    const expander = new Expander((bytes) => {
      expandedBytes += bytes.length;
      if (expandedBytes > 1024 * 1024) throw expandsBeyond(1024 * 1024);
    });
    expect(() => expander.push(bomb)).toThrow(EvidenceError);
    expect(expandedBytes).toBeLessThan(32 * 1024 * 1024);
  });

  it("stops at gzip within gzip within gzip", () => {
    let bytes = bytesOf(pod("web"));
    for (let depth = 0; depth <= evidenceLimits.compressionDepthMax; depth += 1)
      bytes = gzipSync(bytes);
    expect(readEvidence([{ name: "x", bytes }]).unreadable).toMatchObject([
      { message: expect.stringContaining("compressed within") },
    ]);
  });

  it("reads members that were joined", () => {
    const text = pod("web");
    const bytes = new Uint8Array([
      ...gzipSync(bytesOf(text.slice(0, 20))),
      ...gzipSync(bytesOf(text.slice(20))),
    ]);
    expect(readEvidence([{ name: "x", bytes }]).evidence).toHaveLength(1);
  });
});

describe("readEvidence on arbitrary input", () => {
  const seeds = [bytesOf(otlp(spans)), bytesOf(pod("web")), bytesOf(node), gzipSync(bytesOf(node))];

  it("ends in evidence or in a named fault for any bytes", () => {
    assert(
      property(uint8Array({ maxLength: 400 }), (bytes) => {
        const { evidence, unreadable } = readEvidence([{ name: "x", bytes }]);
        expect(evidence.length + unreadable.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it("ends in evidence or in a named fault for any text", () => {
    assert(
      property(string({ maxLength: 200, unit: "binary" }), (text) => {
        const { evidence, unreadable } = readEvidence([file("x", text)]);
        expect(evidence.length + unreadable.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it("ends in evidence or in a named fault for files with changed bytes", () => {
    const change = tuple(integer({ min: 0, max: 2_000 }), integer({ min: 0, max: 255 }));
    assert(
      property(constantFrom(...seeds), change, change, (seed, one, other) => {
        const bytes = seed.slice();
        for (const [at, value] of [one, other]) bytes[at % bytes.length] = value;
        const { evidence, unreadable } = readEvidence([{ name: "x", bytes }]);
        expect(evidence.length + unreadable.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
