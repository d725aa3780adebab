import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readsTheSameInPieces } from "../../../test/read-in-pieces.ts";
import { EvidenceReader, readEvidence } from "../read-evidence.ts";
import { logFormats } from "./formats.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const format = (name: string) => {
  const found = logFormats.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no format ${name}`);
  return found;
};

const lines = [
  "2023-11-14 22:13:20,000 [main] ERROR x",
  "java.io.IOException: y",
  "\tat a.b(C.java:1)",
  "Caused by: z",
  "Traceback (most recent call last):",
  '  File "a", line 1',
  "ValueError: ü 🚀",
  "panic: x",
  "goroutine 1 [running]:",
  "main.f(...)",
  "",
  "   ",
  "\r",
  '{"level":50,"time":1700000000000,"msg":"boom 🚀","err":{"stack":"s"},"deep":{"a":[1,{"b":null}]}}',
  '{"log":"a\\n","stream":"stdout","time":"2023-11-14T22:13:20Z","kubernetes":{"pod_name":"p"}}',
  '{"log":"cut ","stream":"stdout","time":"2023-11-14T22:13:20Z"}',
  "2023-11-14T22:13:20.000000000Z stdout P one",
  "2023-11-14T22:13:20.000000000Z stdout F two",
  "[pod/a/b] 2023-11-14T22:13:20Z WARN c",
  "[pod/d/e] plain",
  "stderr:",
  "stdout:",
  'Defaulted container "x" out of: x, y',
  "\u001b[31m2023-11-14T22:13:20Z ERROR red\u001b[0m",
  "\uFEFF2023-11-14T22:13:20Z INFO marked",
  "x".repeat(20_000),
];
const line = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...lines) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 30 }) },
);
const beginning = fc.constantFrom(
  "",
  "\uFEFF",
  "$ kubectl logs web-1 -n shop -c app\n",
  'Error from server (NotFound): pods "web" not found\n',
  'kubectl logs web -n shop\nDefaulted container "x" out of: x, y\n',
  " ".repeat(9_000),
  "stdout:\n",
  '{"tool_name":"fetch_pod_logs","match_params":{"pod_name":"a","namespace":"b"}}\n',
);
const log = fc
  .tuple(
    beginning,
    fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n")), { maxLength: 60 }),
    fc.nat({ max: 12_000 }),
    fc.constantFrom("", "\n", "no end"),
  )
  .map(([first, body, filling, end]) => {
    const text = body.map(([item, lineEnd]) => `${item}${lineEnd}`).join("");
    const filled = text === "" ? "" : text.repeat(Math.ceil(filling / text.length));
    return bytesOf(first + filled + end);
  });
const cuts = fc.array(fc.nat(), { maxLength: 12 });
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
const name = fc.constantFrom("app.log", "kubectl_logs_web_shop.txt", "x.txt");
/** A log of which some bytes were changed. */
const damaged = fc.tuple(log, edits).map(([bytes, changes]) => {
  for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
  return bytes;
});

describe("a log that is read as it comes", () => {
  it("gives the lines and notes of the whole, wherever it is cut and whatever its bytes are", () => {
    let count = 0;
    fc.assert(
      fc.property(damaged, cuts, name, (bytes, places, file) => {
        const isRead = readsTheSameInPieces(format("text-log"), { bytes, name: file }, places);
        if (isRead) count += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(count).toBeGreaterThan(400);
  });

  it("gives the lines of the whole when it comes byte by byte", () => {
    const bytes = bytesOf(
      lines
        .filter(({ length }) => length < 1_000)
        .join("\n")
        .repeat(12),
    );
    const everywhere = Array.from({ length: bytes.length }, (_, index) => index);
    expect(readsTheSameInPieces(format("text-log"), { bytes, name: "app.log" }, everywhere)).toBe(
      true,
    );
  });

  it.each([
    ["text", `${"x ".repeat(200_000)}end\nb\n`],
    ["a cut just behind what is looked at", `${"x".repeat(262_144)}\r\nb\n`],
    ["one more", `${"x".repeat(262_145)}\r\nb\n`],
    ["two more", `${"x".repeat(262_146)}\nb\n`],
    ["three more", `${"x".repeat(262_147)}\nb\n`],
    ["blanks", `${" ".repeat(400_000)}\nb\n`],
    ["blanks with text behind them", `${" ".repeat(400_000)}x\nb\n`],
    ["a pair at the limit", `${"x".repeat(262_143)}🚀 b\nb\n`],
  ])("cuts a very long line as the whole reading does: %s", (_, long) => {
    const bytes = bytesOf(`2023-11-14 22:13:20 INFO a\n${"b\n".repeat(5_000)}${long}`);
    for (const places of [[], [100_000, 200_000, 272_140], [12_000, 272_200, 273_000]]) {
      expect(readsTheSameInPieces(format("text-log"), { bytes, name: "a.log" }, places)).toBe(true);
    }
  });

  it("has no lines where nothing but blanks was printed", () => {
    const bytes = bytesOf(`$ kubectl logs web -n shop\n${" \n".repeat(20_000)}`);
    expect(
      readsTheSameInPieces(format("kubectl-logs"), { bytes, name: "x.txt" }, [9, 20_000]),
    ).toBe(true);
  });

  it("gives the evidence of the whole file, however it is cut, with its id", () => {
    const record = (index: number): string =>
      JSON.stringify({
        level: "info",
        time: 1_700_000_000_000 + index,
        msg: `ü ${index % 9}`,
        index,
      });
    const bytes = bytesOf(Array.from({ length: 60_000 }, (_, index) => record(index)).join("\n"));
    const whole = readEvidence([{ name: "app.ndjson", bytes }]);
    for (const size of [1_000, 65_536, 262_144]) {
      const reader = new EvidenceReader();
      const sink = reader.open("app.ndjson", bytes.length);
      for (let from = 0; from < bytes.length; from += size) {
        sink.push(bytes.subarray(from, from + size));
      }
      sink.end();
      const { evidence } = reader.finish();
      expect(evidence.map(({ id, source }) => ({ id, source }))).toEqual(
        whole.evidence.map(({ id, source }) => ({ id, source })),
      );
    }
    const [first] = whole.evidence;
    const content = first?.content;
    expect(content?.kind === "logs" && content.lines[59_999]).toEqual({
      timeMicros: 1_700_000_059_999_000,
      severity: "info",
      text: "ü 5",
      attributes: { index: 59_999 },
    });
  });
});
