/** How much of goroutine dumps and profiles is read. */

export const goroutineLimits = {
  goroutineCountMax: 20_000_000,
  /** Different stacks of one recording. */
  groupCountMax: 500_000,
  frameCountMax: 500_000,
  /** Frames of one stack; the outermost of more are left out, and said. */
  stackDepthMax: 256,
  nameLengthMax: 1_024,
  /** Of one goroutine in a dump: what never ends is none. */
  recordBytesMax: 1_048_576,
  /** Different minutes of waiting that one group lists; of more, hours are. */
  waitCountMax: 1_000,
  /** Lowest ids that one group lists. */
  oldestCountMax: 64,
} as const;
