/** The bounds of the response cache, named. What a configuration can set is in `GatewaySettings` instead. */

export const cacheLimits = {
  /** A larger reply is not kept. */
  replyBytesMax: 1_048_576,
  /** What an entry takes beside its bytes, about. */
  entryBytes: 1_024,
  /** Of all bytes, the share that one tenant may take. */
  tenantShareMax: 0.5,
  ageSecondsMax: 2_592_000,
} as const;
