/** `GET /v1/streams/{id}` and `POST /v1/streams/{id}/cancel`, wherever in the gateway the stream is. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { PlatformError } from "@faultline/protocol";

import { authenticateCaller } from "../calls/authenticate-caller.ts";
import { openaiDialect, toPlatformError } from "../calls/dialect.ts";
import { refuseBody } from "../calls/request-body.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { indexAfter } from "./durable-streams.ts";
import { parseEventId } from "./event-id.ts";
import type { KeptReply } from "./kept-reply.ts";
import { streamLimits } from "./limits.ts";
import { streamIdHeader } from "./stream-id.ts";

const prefix = "/v1/streams/";
const cancelSuffix = "/cancel";

/** Whether a path is one of these. */
export function isStreamPath(path: string): boolean {
  return path.startsWith(prefix);
}

export class StreamRequests {
  readonly #state: GatewayState;

  constructor(state: GatewayState) {
    this.#state = state;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    try {
      this.#handle(request, response);
    } catch (error) {
      const failure = toPlatformError(error);
      this.#state.metrics.countFailure(failure.code);
      const { clock } = this.#state;
      refuseBody({ request, response, clock, dialect: openaiDialect }, failure);
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { streams, peers, worker } = this.#state;
    const { tenantId } = authenticateCaller(this.#state, request).key;
    const { id, cancels } = readPath(request.url ?? "");
    const method = cancels ? "POST" : "GET";
    if (request.method !== method) {
      response.setHeader("allow", method);
      throw new PlatformError(
        "method_not_allowed",
        `This path takes ${method}, not ${request.method ?? "this method"}.`,
      );
    }
    const owner = streams.ownerOf(id);
    if (owner === undefined) throw notFound();
    if (owner !== worker.index) {
      peers.forward({ owner, request, response, dialect: openaiDialect });
      return;
    }
    const reply = streams.find(id, tenantId);
    if (reply === undefined) throw notFound();
    if (cancels) this.#cancel(reply, request, response);
    else this.#follow(reply, request, response);
  }

  #cancel(reply: KeptReply, request: IncomingMessage, response: ServerResponse): void {
    if (!this.#state.streams.cancel(reply)) {
      throw new PlatformError("conflict", "The stream has ended; there is nothing to stop.");
    }
    request.resume();
    const body = JSON.stringify({ id: reply.facts.id, object: "stream", status: "cancelled" });
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  }

  #follow(reply: KeptReply, request: IncomingMessage, response: ServerResponse): void {
    const from = startOf(reply, request.headers["last-event-id"]);
    if (reply.followerCount >= streamLimits.followerCountMax) {
      throw new PlatformError(
        "limit_exceeded",
        `This stream has ${reply.followerCount} readers already.`,
        { hint: "Try again when one of them has left." },
      );
    }
    request.resume();
    if (reply.end !== undefined && reply.isEndDurable && from === reply.partCount && from > 0) {
      // Clients of event streams come back for ever until they are told that nothing is left.
      response.writeHead(204, { [streamIdHeader]: reply.facts.id });
      response.end();
      return;
    }
    this.#state.streams.follow(reply, { response, from, isLive: false, headers: {} });
  }
}

/** The index of the first part that a reader has not seen. */
function startOf(reply: KeptReply, lastEventId: string | string[] | undefined): number {
  if (lastEventId === undefined || lastEventId === "") return 0;
  const eventId = typeof lastEventId === "string" ? parseEventId(lastEventId) : undefined;
  const from = eventId === undefined ? undefined : indexAfter(reply, eventId);
  if (from === undefined) {
    throw new PlatformError("request_invalid", "The Last-Event-ID is none of this stream.", {
      where: "last-event-id",
      hint: "Send the id of the last event that was received, or leave the header out to get all.",
    });
  }
  return from;
}

function readPath(url: string): { id: string; cancels: boolean } {
  const queryAt = url.indexOf("?");
  const rest = url.slice(prefix.length, queryAt < 0 ? url.length : queryAt);
  const cancels = rest.endsWith(cancelSuffix);
  return { id: cancels ? rest.slice(0, -cancelSuffix.length) : rest, cancels };
}

function notFound(): PlatformError {
  return new PlatformError("not_found", "There is no such stream.", {
    hint: "It may be past its time; the operator sets gateway.streamRetentionMinutes.",
  });
}
