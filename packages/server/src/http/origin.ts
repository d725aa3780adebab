/** Keeps web pages of others away: which Host and Origin headers may talk to this server. */

import { isIP } from "node:net";

import { PlatformError } from "@faultline/protocol";

export interface OriginRules {
  /** The address that is listened on. */
  readonly host: string;
  readonly publicUrl: URL | undefined;
}

/** What of a request decides; header values as they came. */
export interface OriginFacts {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** Whether the request proves knowledge of a key, which no page of others has. */
  readonly bearer: boolean;
  /** Whether the request leans on the session cookie. */
  readonly session: boolean;
}

/**
 * Throws `origin_refused`. A page can make a browser send anything except a foreign Host header for a name that it does
 * not own, and cannot hide its Origin: so names are compared, and addresses, which cannot be rebound, are let through.
 */
export function checkOrigin(facts: OriginFacts, rules: OriginRules): void {
  if (!facts.bearer) checkHost(facts.host, rules);
  if (facts.method === "GET" || facts.method === "HEAD") return;
  if (facts.origin !== undefined) {
    checkSameOrigin(facts.origin, facts.host, rules);
    return;
  }
  if (
    facts.fetchSite !== undefined &&
    facts.fetchSite !== "same-origin" &&
    facts.fetchSite !== "none"
  ) {
    throw refused(
      `The request comes from another site (sec-fetch-site: ${facts.fetchSite}).`,
      "header sec-fetch-site",
    );
  }
  if (facts.session) {
    throw refused(
      "A change that leans on the session cookie needs an Origin header.",
      "header origin",
    );
  }
}

function checkHost(header: string | undefined, rules: OriginRules): void {
  const name = header === undefined ? undefined : hostNameOf(header);
  if (name === undefined)
    throw refused("The Host header is missing or cannot be read.", "header host");
  const known =
    isIP(name) !== 0 ||
    name === "localhost" ||
    name === rules.host.toLowerCase() ||
    name === rules.publicUrl?.hostname;
  if (!known) throw refused(`\`${name}\` is not a name of this server.`, "header host");
}

/** The origin must be the page that this server itself serves: same host and port as the request names, or the public URL. */
function checkSameOrigin(origin: string, host: string | undefined, rules: OriginRules): void {
  if (rules.publicUrl !== undefined && origin === rules.publicUrl.origin) return;
  const url = URL.parse(origin);
  const plain = url !== null && url.protocol === "http:" && host !== undefined;
  if (plain && url.host === URL.parse(`http://${host}`)?.host && url.origin === origin) return;
  throw refused(
    `The origin ${JSON.stringify(origin.slice(0, 200))} may not change anything here.`,
    "header origin",
  );
}

/** The name or address in a Host header, without port and brackets, in lower case. */
function hostNameOf(header: string): string | undefined {
  const url = URL.parse(`http://${header}`);
  if (
    url === null ||
    url.pathname !== "/" ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  )
    return undefined;
  return url.hostname.replace(/^\[|\]$/g, "");
}

function refused(message: string, where: string): PlatformError {
  return new PlatformError("origin_refused", message, {
    where,
    hint: "Open the console under the address that `faultline up` printed, or set `publicUrl` when a proxy stands before it.",
  });
}
