/** Follows the reading of long files: shows on a terminal how far it has come, and keeps memory small. */

import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

import type { ReadProgress } from "@faultline/contracts";

import type { Terminal } from "./terminal.ts";

/** Files that are smaller together are read before anybody could look. */
const shownBytesMin = 8_000_000;
/** Shown anew after so many bytes. */
const stepBytes = 4_000_000;
/** Input from which on memory counts for more than the last bit of speed. */
const largeBytesMin = 2_000_000;
/** Input that is no spans from which on its share of memory counts for more than its share of speed. */
const hugeBytesMin = 100_000_000;
/**
 * By how many percent the heap may grow before what is gone is looked for. Nearly all that spans take stays, so that looking
 * for it again and again is a fifth of the work: with this it begins at some 700 MB. Of other evidence most is not kept, and
 * of a huge file a quarter of what is kept would be the difference between fitting and not.
 */
const heapGrowthPercent = { spans: 5_000, others: 25, hugeOthers: 10 };

/**
 * Up to here the space for what is short-lived grows while spans are read. Nearly all of them stay, so it only costs memory
 * then; but the contracts make much that is gone soon, and in a small space each of many collections costs its own, and takes
 * for lasting what is not.
 */
const youngBytesMax = { spans: 32_000_000, others: 0 };
/** Steps in which that space is made to grow, each of so many numbers: together far more than it ever takes. */
const growStepCountMax = 1_000;
const growStepLength = 8_000;

export interface Progress {
  show(state: ReadProgress): void;
  /** Takes the words off the screen again. */
  end(): void;
}

/** The progress of reading these files; it shows nothing when nobody looks or when there is little to read. */
export function readingProgress(
  files: readonly { readonly sizeBytes: number }[],
  terminal: Terminal,
): Progress {
  const { showProgress } = terminal;
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  let shownBytes = 0;
  let isLarge = false;
  let mayYoungGrow = true;
  let isHuge = false;
  let isYoungGrown = totalBytes < largeBytesMin;
  return {
    show({ bytesRead, spanCount }) {
      if (!isYoungGrown) {
        isYoungGrown = true;
        if (spanCount > 0) growYoung(youngBytesMax.spans);
      }
      if (!isLarge && bytesRead >= largeBytesMin) {
        isLarge = true;
        const percent = spanCount === 0 ? heapGrowthPercent.others : heapGrowthPercent.spans;
        setFlagsFromString(`--heap-growing-percent=${percent}`);
      }
      if (mayYoungGrow && isLarge) {
        const bytesMax = spanCount === 0 ? youngBytesMax.others : youngBytesMax.spans;
        mayYoungGrow = youngBytes() < bytesMax;
        if (!mayYoungGrow) setFlagsFromString("--semi-space-growth-factor=1");
      }
      if (!isHuge && bytesRead >= hugeBytesMin && spanCount === 0) {
        isHuge = true;
        setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent.hugeOthers}`);
        // What is read while a collection marks in steps beside it comes on top: a fifth of the memory.
        setFlagsFromString("--no-incremental-marking");
      }
      if (showProgress === undefined || bytesRead < shownBytesMin) return;
      if (bytesRead - shownBytes < stepBytes) return;
      shownBytes = bytesRead;
      const all = totalBytes >= bytesRead ? ` of ${megabytes(totalBytes)}` : "";
      const spans = spanCount === 0 ? "" : `, ${spanCount.toLocaleString("en-US")} spans`;
      showProgress(`Reading: ${megabytes(bytesRead)}${all} MB${spans}`);
    },
    end() {
      if (shownBytes > 0) showProgress?.(undefined);
    },
  };
}

/**
 * Makes the space for what is short-lived large at once. V8 notices that nearly all spans stay, and makes them among what lasts
 * from then on, which saves copying each of them twice; but it looks only before the code that makes them is compiled for
 * good, and only while this space is large.
 */
function growYoung(bytesMax: number): void {
  const factor = Math.ceil(bytesMax / Math.max(1, youngBytes()));
  setFlagsFromString(`--semi-space-growth-factor=${Math.max(2, factor)}`);
  // It grows when as much has survived collections as it holds.
  const model = Array.from({ length: growStepLength }, (_, index) => index);
  const kept: number[][] = [];
  for (let step = 0; step < growStepCountMax && youngBytes() < bytesMax; step += 1) {
    kept.push(model.slice());
  }
  setFlagsFromString("--semi-space-growth-factor=2");
}

/** The size of the space for what is short-lived. */
function youngBytes(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? 0
  );
}

function megabytes(bytes: number): string {
  return Math.round(bytes / 1_000_000).toLocaleString("en-US");
}
