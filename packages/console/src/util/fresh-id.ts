/** An id for a command to the ledger: what is sent again with it takes effect once. */

/** Made of 16 random bytes; works on pages without TLS too, where a browser makes no UUIDs. */
export function freshId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${prefix}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
