/** The formats of V8, the engine of Node and Chromium. */

import type { EvidenceFormat } from "../format.ts";
import { HeapSnapshotStream, readHeapSnapshot, recogniseHeapSnapshot } from "./heap-snapshot.ts";
import {
  readCpuProfile,
  readHeapProfile,
  recogniseCpuProfile,
  recogniseHeapProfile,
} from "./v8-profile.ts";

export const v8Formats: readonly EvidenceFormat[] = [
  {
    name: "v8-heap-snapshot",
    description: "a heap snapshot of V8 (.heapsnapshot)",
    recognise: ({ head }) => recogniseHeapSnapshot(head),
    read: readHeapSnapshot,
    open: (input) => new HeapSnapshotStream(input),
  },
  {
    name: "v8-cpu-profile",
    description: "a CPU profile of V8 (.cpuprofile)",
    recognise: ({ head }) => recogniseCpuProfile(head),
    read: readCpuProfile,
  },
  {
    name: "v8-heap-profile",
    description: "a sampling profile of the heap of V8 (.heapprofile)",
    recognise: ({ head }) => recogniseHeapProfile(head),
    read: readHeapProfile,
  },
];
