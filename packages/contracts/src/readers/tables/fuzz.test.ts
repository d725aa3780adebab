import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { EvidenceFormat, FileContent, FormatInput } from "../format.ts";
import { decodeText, headOf, looksBinary } from "../text.ts";
import { tableFormats } from "./formats.ts";

const seeds = [
  'traceID,spanID,serviceName,operationName,startTime,duration,statusCode,parentSpanID,__proto__\naaaa000000000000bbbb000000000001,0000000000000a01,front,"GET ""/api"", all",1705353846000000,5000,500.0,root,x\nt,s,cart-0,,1705353846001,1e308,error,0000000000000a01,\n',
  "TraceID;SpanID;ParentID;PodName;OperationName;StartTimeUnixNano;EndTimeUnixNano;Duration;success\n1;2;-1;front-579b9bff58-t2dbm;a/b;1661140374351773094;1661140374362982609;11209;true\n1;3;2;;;9999999999999999999;9999-12-31 23:59:59;-5;false\n",
  'time,timestamp,container_name,message,level,trace_id,span_id\n16:30,1705595459012034902,cart,"{""log"":""a: b\\n"",""stream"":""stdout""}",INFO,0af7651916cd43dd8448eb211c80319c,b7ad6b7169203331\n,9999-12-31T23:59:59Z,,level=warn x,,,\n',
  "log_id\tts\tcmdb_id\tlog_name\tvalue\n1\t1614841020\tweb\tgc\t3.5: [GC]\n",
  "Source,Target,Weight\ncheckout,email,1\nfront,front,1\n",
  "caller|callee\na|b\nb|__proto__\n",
  'case_id,input,model,score,passed,__proto__\n1,"Who, then?",m,0.5,true,x\n2,,m,1e308,no,\n',
  ",a,b,c\na,0.0,1.0,0.0\nb,true,,1\nc,0,0,0\n",
] as const;

it("ends in spans, lines, calls or in a named fault for any input", () => {
  survivesAnyInput(tableFormats, seeds);
}, 60_000);

function inputOf(bytes: Uint8Array): FormatInput {
  const head = looksBinary(bytes) ? undefined : headOf(bytes);
  return { bytes, head, name: "x.csv", text: () => decodeText(bytes) };
}

/** What comes of a reading, or the sentence with which it is refused. */
function outcomeOf(read: () => FileContent): FileContent | string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return error.message;
  }
}

function inPieces(format: EvidenceFormat, bytes: Uint8Array, size: number): FileContent {
  const stream = format.open?.(inputOf(bytes));
  if (stream === undefined) throw new Error("a table that is recognised can be read in pieces");
  for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
  return stream.end();
}

describe("the same comes of a table that is read in pieces", () => {
  it.each(tableFormats.map((format) => ({ format, name: format.name })))("$name", ({ format }) => {
    const own = seeds.filter((seed) => format.recognise(inputOf(new TextEncoder().encode(seed))));
    expect(own.length).toBeGreaterThan(0);
    const change = fc.record({
      seed: fc.constantFrom(...own),
      at: fc.nat({ max: 400 }),
      text: fc.constantFrom('"', '""', "\r\n", "\n", "é", "😀", "\uFEFF", ",", "\u0000"),
      size: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(change, ({ seed, at, text, size }) => {
        const bytes = new TextEncoder().encode(seed.slice(0, at) + text + seed.slice(at));
        if (!format.recognise(inputOf(bytes))) return;
        const whole = outcomeOf(() => format.read(inputOf(bytes)));
        expect(outcomeOf(() => inPieces(format, bytes, size))).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });
});

it("takes no longer for quotes that are never closed, for many columns and for long names", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const openQuote = `"${"\n".repeat(65_536)}`;
  for (const text of [
    `source,target\n${openQuote.repeat(40)}`,
    `source,target\n${'"a\n'.repeat(300_001)}`,
    `source,target\n${'""'.repeat(1_000_000)},b\n`,
    `traceid,spanid,start,end,${"x,".repeat(25_000)}\n${`1,2,1700000000,1700000001,${"1,".repeat(25_000)}\n`.repeat(20)}`,
    `${"a,".repeat(60_000)}\n`,
    `caller,callee\n${"a".repeat(3_000_000)},${"b".repeat(3_000_000)}\n`,
    `time,service,message\n1,web,${" {".repeat(2_000_000)}\n`,
  ]) {
    readWithAll(tableFormats, bytes(text));
  }
}, 60_000);

it("refuses a table of more calls than a graph is read with", () => {
  const row = (_: unknown, at: number): string => `a${at},b\n`;
  const text = `source,target\n${Array.from({ length: 200_001 }, row).join("")}`;
  const calls = tableFormats.find(({ name }) => name === "calls-csv");
  expect(
    outcomeOf(() => calls?.read(inputOf(new TextEncoder().encode(text))) ?? { notes: [] }),
  ).toBe("The table holds too many calls.");
});
