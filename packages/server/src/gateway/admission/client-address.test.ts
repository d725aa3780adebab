import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { clientAddressOf } from "./client-address.ts";

function addressOf(remoteAddress: string | undefined, headers: IncomingHttpHeaders, proxies = 0) {
  // Only the address of the socket is read.
  const socket = { remoteAddress } as IncomingMessage["socket"];
  return clientAddressOf({ socket, headers }, proxies);
}

describe("the address of a client", () => {
  it("is that of the connection, whatever the caller writes into headers", () => {
    const headers = { "x-forwarded-for": "1.2.3.4", "x-faultline-peer-address": "1.2.3.4" };
    expect(addressOf("192.0.2.1", headers)).toBe("192.0.2.1");
    expect(addressOf("::ffff:192.0.2.1", {})).toBe("192.0.2.1");
  });

  it("is what the outermost trusted proxy saw, not what stands before it", () => {
    const headers = { "x-forwarded-for": "6.6.6.6, 192.0.2.5, 10.0.0.1" };
    expect(addressOf("10.0.0.2", headers, 1)).toBe("10.0.0.1");
    expect(addressOf("10.0.0.2", headers, 2)).toBe("192.0.2.5");
    expect(addressOf("10.0.0.2", {}, 2)).toBe("10.0.0.2");
  });

  it("is the network of an IPv6 address", () => {
    expect(addressOf("2001:db8:0:1:aaaa:bbbb:cccc:dddd", {})).toBe("2001:db8:0:1::/64");
    expect(addressOf("2001:db8::1", {})).toBe("2001:db8:0:0::/64");
    expect(addressOf("::1", {})).toBe("0:0:0:0::/64");
    expect(addressOf("fe80::1%eth0", {})).toBe("fe80:0:0:0::/64");
    expect(addressOf("2001:DB8:0000:0001::9", {})).toBe("2001:db8:0:1::/64");
  });

  it("is what a process of the gateway says of a request that it hands over, and nobody else", () => {
    const socket = { remoteAddress: undefined } as unknown as IncomingMessage["socket"];
    expect(clientAddressOf({ socket, headers: {} }, 0, "192.0.2.3")).toBe("192.0.2.3");
    // So it is when a caller has reset its connection at once.
    expect(addressOf(undefined, { "x-faultline-peer-address": "192.0.2.3" })).toBe("unknown");
  });
});
