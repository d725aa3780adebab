/** How much evidence is read at once. What lies beyond is refused by name, never silently cut. */

/**
 * Limits of one call of `readEvidence`. Most formats are read whole; those that are read as their bytes come in, without
 * holding the file, take much more of it.
 */
export const evidenceLimits = {
  fileCountMax: 10_000,
  /** Of one file that is read whole, as it lies on disk. */
  fileBytesMax: 256 * 1024 * 1024,
  /** Of one file that is read whole, after decompression: what stops a zip bomb. */
  expandedBytesMax: 384 * 1024 * 1024,
  /** Of all files together that are read whole, decompressed. */
  totalBytesMax: 1024 * 1024 * 1024,
  /** Of all files together that are read as they come, decompressed. */
  streamedBytesMax: 2 * 1024 * 1024 * 1024,
  /** Of all files together. */
  spanCountMax: 4_000_000,
  /** Gzip within gzip within gzip is nobody's evidence. */
  compressionDepthMax: 2,
  /** Nesting of JSON. */
  depthMax: 200,
} as const;

/** Limits of a `.faultline` file. */
export const snapshotFileLimits = {
  fileBytesMax: 512 * 1024 * 1024,
  entryCountMax: 20_000,
  entryBytesMax: 384 * 1024 * 1024,
  totalBytesMax: 1024 * 1024 * 1024,
  manifestBytesMax: 64 * 1024 * 1024,
} as const;
