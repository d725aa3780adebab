/** Who asks: by bearer key, or by the session that a key began. */

import type { Principal } from "#identity/index.ts";
import { PlatformError, roleAllows, type RouteAccess } from "@faultline/protocol";
import type { FastifyRequest } from "fastify";

import type { Sessions } from "./sessions.ts";
import { sessionCookieName } from "./sessions.ts";

/** What of identity the control API asks. */
export interface Authenticator {
  authenticate(secret: string, signal: AbortSignal): Promise<Principal>;
  authenticateHash(keyHash: string, signal: AbortSignal): Promise<Principal>;
}

export interface Credentials {
  readonly bearer: string | undefined;
  readonly session: string | undefined;
}

/** What a request brought to say who sends it. A bearer key wins over a cookie. */
export function readCredentials(request: FastifyRequest): Credentials {
  const header = request.headers.authorization;
  const bearer = header === undefined ? undefined : /^Bearer +(.+)$/i.exec(header.trim())?.[1];
  if (header !== undefined && bearer === undefined) {
    throw new PlatformError(
      "key_malformed",
      "The Authorization header is not of the form `Bearer fl_…`.",
      {
        where: "header authorization",
        hint: "Send `authorization: Bearer ` and the key.",
      },
    );
  }
  return { bearer, session: bearer === undefined ? request.cookies[sessionCookieName] : undefined };
}

export interface Question {
  readonly credentials: Credentials;
  readonly identity: Authenticator;
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
}

/** The principal behind the credentials. Throws one of the `key_…` codes. */
export async function authenticate({
  credentials,
  identity,
  sessions,
  signal,
}: Question): Promise<Principal> {
  if (credentials.bearer !== undefined) return identity.authenticate(credentials.bearer, signal);
  const keyHash =
    credentials.session === undefined ? undefined : sessions.find(credentials.session);
  if (keyHash !== undefined) return identity.authenticateHash(keyHash, signal);
  const what =
    credentials.session === undefined
      ? "No API key and no session came with the request."
      : "The session has ended.";
  throw new PlatformError("key_missing", what, {
    hint: "Send `authorization: Bearer fl_…`, or sign in to the console again.",
  });
}

/** Throws `permission_denied` unless the principal's role holds what the route asks for. */
export function authorize(principal: Principal, access: Exclude<RouteAccess, "public">): void {
  if (access === "signed-in" || roleAllows(principal.role, access)) return;
  throw new PlatformError(
    "permission_denied",
    `The key \`${principal.keyName}\` has the role ${principal.role}, which lacks ${access}.`,
    {
      hint: "Use a key whose role holds it; `faultline key create --role …` makes one.",
    },
  );
}
