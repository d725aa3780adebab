/** How much of a model's files is read. */

export const modelLimits = {
  /** Of a header of weights; the format's own bound is 100 MB. */
  headerBytesMax: 128 * 1024 * 1024,
  tensorCountMax: 200_000,
  /** Tokens of one vocabulary. */
  vocabularySizeMax: 4_000_000,
  /** Tokens of one file that are kept by name. */
  tokenCountMax: 20_000,
  /** Items of one array of a header. */
  arrayLengthMax: 8_000_000,
  /** Key and value pairs of a header. */
  metadataCountMax: 20_000,
  /** Characters of one setting as JSON; longer ones are left out, and said. */
  settingLengthMax: 65_536,
  templateLengthMax: 262_144,
  textLengthMax: 512,
} as const;
