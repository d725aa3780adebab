/** How much evidence is read at once. What lies beyond is refused by name, never silently cut. */

/** Limits of one call of `readEvidence`. */
export const evidenceLimits = {
  fileCountMax: 10_000,
  /** Of one file as it lies on disk. */
  fileBytesMax: 256 * 1024 * 1024,
  /** Of one file after decompression: what stops a zip bomb. */
  expandedBytesMax: 384 * 1024 * 1024,
  /** Of all files of one call together, decompressed. */
  totalBytesMax: 1024 * 1024 * 1024,
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
