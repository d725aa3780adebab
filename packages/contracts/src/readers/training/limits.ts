/** How much of a training run is read. */

export const trainingLimits = {
  textLengthMax: 256 * 1024 * 1024,
  runCountMax: 4_096,
  /** Of one file. */
  stepCountMax: 2_000_000,
  /** Of one step. */
  parameterCountMax: 100_000,
  lossCountMax: 256,
  callCountMax: 4_096,
} as const;
