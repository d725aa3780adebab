/** Preloaded into a gateway process: tells what it holds and what it allocated, whenever it is asked by a signal. */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { GCProfiler, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What it writes as JSON. */
export interface ProbedMemory {
  /** After all garbage was collected: the heap, and buffers beside it. */
  readonly heldBytes: number;
  /** On the heap since it was asked last, as the trace of the collector has it. */
  readonly allocatedBytes: number;
  readonly residentBytes: number;
}

const folder = process.env["FAULTLINE_BENCH_PROBE"];
setFlagsFromString("--expose-gc");
// The flag makes it a function of every new context.
const collectGarbage = runInNewContext("gc") as () => void;
let profiler = new GCProfiler();
profiler.start();

// Only the process that carries calls is asked.
process.on("SIGUSR2", () => {
  if (folder === undefined) return;
  // Twice, because buffers are let go of one turn after the objects that held them.
  collectGarbage();
  collectGarbage();
  const allocatedBytes = allocatedIn(profiler.stop());
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const memory: ProbedMemory = {
    heldBytes: heapUsed + arrayBuffers,
    allocatedBytes,
    residentBytes:
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0") * 1_024,
  };
  profiler = new GCProfiler();
  profiler.start();
  const file = path.join(folder, String(process.pid));
  writeFileSync(`${file}.new`, JSON.stringify(memory));
  renameSync(`${file}.new`, file);
});

/** What filled the heap between one collection and the next. */
function allocatedIn(trace: ReturnType<GCProfiler["stop"]>): number {
  let bytes = 0;
  let after: number | undefined;
  for (const { beforeGC, afterGC } of trace?.statistics ?? []) {
    const before = beforeGC.heapStatistics.usedHeapSize;
    if (after !== undefined) bytes += Math.max(0, before - after);
    after = afterGC.heapStatistics.usedHeapSize;
  }
  return bytes;
}
