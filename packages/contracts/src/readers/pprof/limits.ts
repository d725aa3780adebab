/** How much of a profile is read. */

export const pprofLimits = {
  textCountMax: 2_000_000,
  functionCountMax: 1_000_000,
  locationCountMax: 2_000_000,
  sampleCountMax: 2_000_000,
  /** Frames of one stack; the outermost of more are left out. */
  stackDepthMax: 512,
  measureCountMax: 16,
  /** Functions that were put into one place of the program. */
  inlinedCountMax: 64,
} as const;
