import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readsTheSameInPieces } from "../../../test/read-in-pieces.ts";
import { metricFormats } from "./formats.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const cuts = fc.array(fc.nat(), { maxLength: 12 });
const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 });
const lines = [
  "# TYPE http_requests counter",
  "# UNIT http_requests seconds",
  'http_requests_total{path="/ü🚀"} 5 1700000000000',
  'http_requests_total{path="/b"} NaN',
  "up 1",
  "up 2",
  "no sample at all",
  "# EOF",
  "",
  "  ",
  "\uFEFF",
  "x".repeat(70_000),
  "time,metric,value",
  "2023-11-14T22:13:20Z,cpu,0.5",
  '2023-11-14T22:14:20Z,"c""pu",1',
  '2023-11-14T22:14:20Z,"c\npu",1',
  '2023-11-14T22:15:20Z,"open,1',
  "2023-11-14T22:16:20Z,memory,",
  ",cpu,3",
];
const body = fc
  .tuple(
    fc.constantFrom("", "\uFEFF", "\uFEFF\uFEFF"),
    fc.constantFrom("time,metric,value\n2023-11-14T22:13:20Z,cpu,0.5\n", "# TYPE up gauge\nup 1\n"),
    fc.array(fc.tuple(fc.constantFrom(...lines), fc.constantFrom("\n", "\n", "\r\n", "")), {
      maxLength: 20,
    }),
  )
  .map(([mark, first, rest]) => mark + first + rest.map((pair) => pair.join("")).join(""));

describe("metrics that are read as they come", () => {
  it.each(["metrics-text", "metrics-csv"])(
    "are those of the whole file, wherever it is cut and whatever its bytes are: %s",
    (name) => {
      const format = metricFormats.find((candidate) => candidate.name === name);
      if (format === undefined) throw new Error(`no format ${name}`);
      fc.assert(
        fc.property(body, damage, cuts, (text, changes, places) => {
          const bytes = bytesOf(text);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          expect(readsTheSameInPieces(format, { bytes, name: "cpu.txt" }, places)).toBe(true);
        }),
        { numRuns: 400 },
      );
    },
  );
});
