/** The address that limits and throttles count a caller by. */

import type { IncomingMessage } from "node:http";

/** Longer entries of a header are no addresses. */
const addressLengthMax = 64;
const mappedPrefix = "::ffff:";

/** By it one gateway process tells another the address of a caller whose request it hands over. */
export const peerAddressHeader = "x-faultline-peer-address";
/** Of a connection that was reset before anybody asked whose it was. */
export const unknownAddress = "unknown";

/**
 * The caller's address. Behind proxies it is the entry of `x-forwarded-for` that the outermost trusted one wrote, counted
 * from the end: what stands before it is the caller's own invention. `peerAddress` is what another process of the gateway
 * says of a request that it hands over.
 */
export function clientAddressOf(
  { socket, headers }: Pick<IncomingMessage, "socket" | "headers">,
  proxyCount: number,
  peerAddress?: string,
): string {
  const forwardedFor = headers["x-forwarded-for"];
  if (proxyCount > 0 && forwardedFor !== undefined) {
    const entries = String(forwardedFor).split(",");
    const entry = entries[Math.max(0, entries.length - proxyCount)]?.trim() ?? "";
    if (entry !== "" && entry.length <= addressLengthMax) return normalise(entry);
  }
  return normalise(peerAddress ?? socket.remoteAddress ?? unknownAddress);
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
