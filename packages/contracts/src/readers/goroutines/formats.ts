/** The formats of goroutines as text. */

import type { EvidenceFormat } from "../format.ts";
import { readCountText, recogniseCountText } from "./count-text.ts";
import { DumpReading, recogniseDump } from "./dump.ts";

export const goroutineFormats: readonly EvidenceFormat[] = [
  {
    name: "goroutine-profile",
    description: "a profile of goroutines as text (debug=1), also of leaked ones",
    recognise: ({ head }) => head !== undefined && recogniseCountText(head),
    read: readCountText,
  },
  {
    name: "goroutine-dump",
    description: "a dump of goroutines (debug=2), or what a stopped Go program printed",
    recognise: ({ head }) => head !== undefined && recogniseDump(head),
    read: (input) => {
      const reading = new DumpReading(input);
      reading.push(input.bytes);
      return reading.end();
    },
    open: (input) => new DumpReading(input),
  },
];
