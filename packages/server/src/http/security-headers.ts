/** Headers that every answer carries, so that a browser treats it as narrowly as it can. */

import type { FastifyInstance } from "fastify";

/** Nothing inline, nothing from elsewhere, in nobody's frame. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** For documents that quote what others sent, such as reports: inert, with their own inline styles. */
export const documentPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/** Adds the headers to every answer of `app`. A route may set a policy of its own first. */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply) => {
    if (!reply.hasHeader("content-security-policy"))
      reply.header("content-security-policy", pagePolicy);
    reply.headers({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    });
    if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
  });
}
