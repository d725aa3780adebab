/** The formats of pprof. */

import type { EvidenceFormat } from "../format.ts";
import { readProfile, recogniseProfile } from "./read-profile.ts";

export const pprofFormats: readonly EvidenceFormat[] = [
  {
    name: "pprof",
    description: "a profile of pprof in protobuf: goroutines, heap, CPU, mutexes, blocking",
    recognise: ({ head, bytes }) => head === undefined && recogniseProfile(bytes),
    read: readProfile,
  },
];
