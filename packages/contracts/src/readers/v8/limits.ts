/** How much of V8's snapshots and profiles is read. */

export const v8Limits = {
  /** What stands before the nodes of a snapshot: its meta data. */
  headerBytesMax: 262_144,
  nodeCountMax: 500_000_000,
  nodeFieldCountMax: 32,
  /** Constructors and functions of one snapshot that are told apart; more are one kind together. */
  kindCountMax: 200_000,
  /** Of these the largest, and the most frequent, are kept. */
  keptKindCountMax: 5_000,
  nameLengthMax: 200,
  /** What stands after the edges besides the texts: traces of allocations and places in code. */
  samplesMax: 2_000_000,
  /** Samples of a profile of the processor, which are added up by where they were taken. */
  cpuSamplesMax: 50_000_000,
  frameCountMax: 500_000,
  stackDepthMax: 512,
} as const;
