/** The address that limits and throttles count a caller by. */

/** Longer entries of a header are no addresses. */
const addressLengthMax = 64;
const mappedPrefix = "::ffff:";

/**
 * The caller's address. Behind proxies it is the entry of `x-forwarded-for` that the outermost trusted one wrote, counted
 * from the end: what stands before it is the caller's own invention.
 */
export function clientAddressOf(
  remoteAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  proxyCount: number,
): string {
  if (proxyCount > 0 && forwardedFor !== undefined) {
    const entries = String(forwardedFor).split(",");
    const entry = entries[Math.max(0, entries.length - proxyCount)]?.trim() ?? "";
    if (entry !== "" && entry.length <= addressLengthMax) return normalise(entry);
  }
  return normalise(remoteAddress ?? "unknown");
}

/** An IPv6 network is handed out whole: its first 64 bits name the caller. */
function normalise(address: string): string {
  const text = address.toLowerCase();
  if (text.startsWith(mappedPrefix) && text.includes(".")) return text.slice(mappedPrefix.length);
  if (!text.includes(":")) return text;
  const [head = "", tail] = text.split("%", 1)[0]?.split("::", 2) ?? [];
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => "0"), ...back];
  const network = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${network.join(":")}::/64`;
}
