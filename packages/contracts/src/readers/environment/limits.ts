/** How much of a description of an environment is read. */

export const environmentLimits = {
  factCountMax: 20_000,
  factNameLengthMax: 1_024,
  factLengthMax: 4_096,
  /** Of one description: they are small. */
  textLengthMax: 16_777_216,
  environmentCountMax: 1_000,
} as const;
