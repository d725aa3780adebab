/** Sessions of browsers. */

import { hashKey } from "#identity/index.ts";

import type { ApiHandlers, HandlerParts } from "../services.ts";
import { sessionCookieName } from "../sessions.ts";
import { httpLimits } from "../limits.ts";

type Names = "createSession" | "readSession" | "deleteSession";

/** Handlers of `/api/session`. */
export function sessionHandlers({
  services,
  config,
  sessions,
}: HandlerParts): Pick<ApiHandlers, Names> {
  const cookie = {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: config.publicUrl?.protocol === "https:",
  } as const;
  return {
    async createSession({ body }, { signal, reply }) {
      const principal = await services.identity.authenticate(body.key, signal);
      const secret = sessions.create(hashKey(body.key));
      reply.setCookie(sessionCookieName, secret, {
        ...cookie,
        maxAge: httpLimits.sessionHoursMax * 3_600,
      });
      return principal;
    },
    async readSession(_input, { principal }) {
      return principal;
    },
    async deleteSession(_input, { reply }) {
      const secret = reply.request.cookies[sessionCookieName];
      if (secret !== undefined) sessions.end(secret);
      reply.clearCookie(sessionCookieName, cookie);
      return undefined;
    },
  };
}
