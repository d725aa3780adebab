/** URLs that a tenant may name. */

import { isIP } from "node:net";

import { PlatformError } from "@faultline/protocol";

import { isPublicAddress } from "./public-address.ts";

const where = "body /url";
/** Of the URL as it is kept: what is written out in per cent signs counts as it stands then. */
const lengthMax = 2_048;

/**
 * Reads a URL. Throws `request_invalid` for what no webhook can have: credentials in it, a fragment, and, unless the operator
 * allows private addresses, an address that is not one of the internet, or no TLS. What a name leads to is known when it is
 * called, and looked at then.
 */
export function readWebhookUrl(text: string, allowsPrivate: boolean): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw refuse("The URL of a webhook begins with https://.");
  if (url.username !== "" || url.password !== "")
    throw refuse("The URL of a webhook carries no credentials; its deliveries are signed.");
  if (url.hash !== "") throw refuse("The URL of a webhook has no fragment.");
  if (url.href.length > lengthMax)
    throw refuse(`Written out, the URL has ${url.href.length} characters, and ${lengthMax} fit.`);
  if (allowsPrivate) return url.href;
  if (url.protocol !== "https:")
    throw refuse("The URL of a webhook begins with https://: what it is told is nobody else's.");
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isPublicAddress(host))
    throw refuse(`${host} is not an address of the internet.`);
  return url.href;
}

/** The host without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

function refuse(message: string): PlatformError {
  return new PlatformError("request_invalid", message, {
    where,
    hint: "The operator may allow private addresses: `webhooks.privateAddresses`.",
  });
}
