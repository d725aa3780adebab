/** How much of a log is read at once. */

export const logLimits = {
  /** Lines that are not empty, as they stand in the file. What has more is refused. */
  lineCountMax: 4_000_000,
  /** Characters of one physical line that are looked at; the rest is cut off, and said. */
  lineLengthMax: 262_144,
  /** Characters of one entry that are kept, as the model has it. */
  textLengthMax: 16_384,
  /** Lines that are joined to one entry, as of a stack trace; those beyond are dropped, and said. */
  joinedLineCountMax: 1_000,
  /** Containers whose lines may be mixed in one file. */
  containerCountMax: 2_000,
  /** Attributes of one entry that are kept. */
  attributeCountMax: 64,
  attributeTextLengthMax: 2_048,
  /** Nesting of attributes that is kept. */
  attributeDepthMax: 6,
  /** Entries of one list or map in an attribute that are kept. */
  attributeEntryCountMax: 64,
  /** Lines of one file that are kept as objects, and their characters; those of larger ones are kept as bytes. */
  plainLineCountMax: 50_000,
  plainCharacterCountMax: 16 * 1024 * 1024,
  /** Lines of the beginning that are looked at to recognise a log. */
  recognitionLineCountMax: 200,
} as const;
