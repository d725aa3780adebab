import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import * as fc from "fast-check";
import { gunzipSync } from "fflate";
import { expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { pprofFormats } from "../pprof/formats.ts";
import { DumpReading } from "./dump.ts";
import { goroutineFormats } from "./formats.ts";

const recorded = fileURLToPath(
  new URL("../../../test/recorded/lifetimes/healthy/", import.meta.url),
);
const dump = new TextDecoder().decode(gunzipSync(readFileSync(`${recorded}dump-0.txt.gz`)));

const seeds = [
  dump.slice(0, 3_000),
  readFileSync(`${recorded}counts-0.txt`, "utf8"),
  readFileSync(`${recorded}leaks.txt`, "utf8"),
  "panic: x\n\ngoroutine 1 gp=0xc000006a80 m=0 mp=0x5 [running, locked to thread]:\nmain.main()\n\t/a.go:1 +0x1 fp=0x1 sp=0x2 pc=0x3\n",
  "goroutine 5 [chan receive (nil chan), 7 minutes]:\r\nmain.f[...](0x1, {0x2})\r\n\tC:/a b/a.go:12 +0x1d\r\ncreated by main.g in goroutine 18446744073709551615\r\n\tC:/a b/a.go:2\r\n\r\n",
] as const;

it("ends in goroutines or in a named fault for any text", () => {
  survivesAnyInput(goroutineFormats, seeds);
});

it("ends in a profile or in a named fault for profiles whose bytes were changed", () => {
  const profiles = readdirSync(recorded)
    .filter((name) => name.endsWith(".pb.gz"))
    .map((name) => gunzipSync(readFileSync(`${recorded}${name}`)));
  const edit = fc.record({ at: fc.nat({ max: 1_000_000 }), value: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(...profiles),
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 1_000_000 }),
      (profile, edits, cut) => {
        const bytes = profile.slice(0, cut % 3 === 0 ? cut % profile.length : profile.length);
        for (const { at, value } of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
        readWithAll(pprofFormats, bytes);
      },
    ),
    { numRuns: 300 },
  );
});

it("gives the same for a dump in pieces of any size", () => {
  const bytes = new TextEncoder().encode(dump);
  const whole = new DumpReading({ name: "x" });
  whole.push(bytes);
  const expected = whole.end();
  for (const size of [1, 7, 100, 4_096, 65_537]) {
    const reading = new DumpReading({ name: "x" });
    for (let at = 0; at < bytes.length; at += size) reading.push(bytes.subarray(at, at + size));
    expect(reading.end()).toEqual(expected);
  }
});

it("refuses a goroutine that does not end", () => {
  const reading = new DumpReading({ name: "x" });
  reading.push(new TextEncoder().encode("goroutine 1 [running]:\n"));
  const line = new TextEncoder().encode("main.main()\n\t/a.go:1 +0x1\n".repeat(4_000));
  expect(() => {
    for (let count = 0; count < 100; count += 1) reading.push(line);
  }).toThrow("does not end");
});
