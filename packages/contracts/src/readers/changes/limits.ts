/** How many changes and reports are read at once; what has more is refused, and what is longer is cut. */

export const changeLimits = {
  eventCountMax: 50_000,
  reportCountMax: 10_000,
  diffLengthMax: 262_144,
  messageLengthMax: 16_384,
  fileCountMax: 2_000,
  pathLengthMax: 1_024,
} as const;
