/** Whether others than this machine can reach the platform, and whether their traffic is encrypted. */

import { isIP } from "node:net";

import type { Config } from "#config/index.ts";

/** A sentence for the operator when keys and prompts would cross the network in the clear; else `undefined`. */
export function exposureWarning(config: Pick<Config, "host" | "publicUrl">): string | undefined {
  if (isLoopback(config.host) || config.publicUrl?.protocol === "https:") return undefined;
  return (
    `Faultline listens on ${config.host}, beyond this machine, without TLS: keys and prompts cross the network in the clear. ` +
    "Put a TLS proxy before it and set `publicUrl: https://…`, or listen on 127.0.0.1."
  );
}

function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  return isIP(host) === 4 ? host.startsWith("127.") : host === "::1";
}
