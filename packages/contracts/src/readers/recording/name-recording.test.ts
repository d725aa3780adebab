import { expect, it } from "vitest";

import { nameRecording } from "./name-recording.ts";

it.each([
  ["before.txt", { series: "", sequence: 0 }],
  ["checkout-goroutines-2.txt", { series: "checkout-goroutines", sequence: 2 }],
  ["heap.003.pb.gz", { series: "heap", sequence: 3 }],
  ["profile_t60.txt", { series: "profile_t", sequence: 60 }],
  ["api-7-after.pprof", { series: "api-7", sequence: 3 }],
  ["dump.20260102T030405Z.txt", { series: "dump", timeMicros: 1_767_323_045_000_000 }],
  ["fd-1767323045.txt", { series: "fd", timeMicros: 1_767_323_045_000_000 }],
  ["goroutine.txt", { series: "goroutine" }],
])("%s", (name, expected) => {
  expect(nameRecording({ name })).toEqual(expected);
});

it.each([
  ["after", 3],
  ["t1", 1],
  ["2", 2],
  ["case-2", undefined],
])("in the folder %s a name without a place is at %s", (folder, sequence) => {
  expect(nameRecording({ name: "goroutine.txt", folder }).sequence).toBe(sequence);
});
