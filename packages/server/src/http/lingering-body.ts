/** Answers a request whose body is still arriving, so that its sender gets to read the answer. */

import { Readable } from "node:stream";
import { finished } from "node:stream/promises";

import type { FastifyReply } from "fastify";

/**
 * Sends `body` at once. When the request's own body has not arrived whole, the connection stays open until it has, or
 * until its sender leaves: closing it with unread bytes would reset it, and the answer could be lost on its way.
 * What still arrives is thrown away; the time for it is bounded by the server's `requestTimeout`.
 */
export function sendLingering(reply: FastifyReply, body: Buffer): FastifyReply {
  const request = reply.request.raw;
  if (request.complete || request.destroyed) return reply.send(body);
  reply.header("content-length", body.length);
  return reply.send(Readable.from(bodyThenWait(body, request), { objectMode: false }));
}

async function* bodyThenWait(body: Buffer, request: Readable): AsyncGenerator<Buffer> {
  yield body;
  request.resume();
  // A sender that leaves ends the waiting too; there is nobody left to tell.
  await finished(request).catch(() => {});
}
