/** Which addresses are those of the internet: whoever chooses a URL must not reach this machine or its neighbours by it. */

import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Blocks of IPv4 that are no unicast addresses of the internet (IANA's special-purpose registry). */
const special4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/**
 * Of IPv6 only `2000::/3` is the internet; these lie in it and are not, or carry an address of IPv4 that is reached through a
 * gateway. Mapped addresses of IPv4 and those of NAT64 lie outside.
 */
const special6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [address, bits] of special4) special.addSubnet(address, bits, "ipv4");
for (const [address, bits] of special6) special.addSubnet(address, bits, "ipv6");
const internet6 = new BlockList();
internet6.addSubnet("2000::", 3, "ipv6");

/** Whether an address, without brackets, is one of the internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, "ipv4");
  if (!isIPv6(address) || address.includes("%")) return false;
  return internet6.check(address, "ipv6") && !special.check(address, "ipv6");
}
