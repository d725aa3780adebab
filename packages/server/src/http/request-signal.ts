/** Cancellation of one request: the client left, the deadline passed, or the server stops. */

import type { FastifyReply } from "fastify";

import { httpLimits } from "./limits.ts";
import type { ControlOptions } from "./services.ts";

const signals = new WeakMap<FastifyReply, AbortSignal>();

/** The signal of a request; the same one each time it is asked for. */
export function requestSignal(
  reply: FastifyReply,
  options: Pick<ControlOptions, "clock" | "signal">,
): AbortSignal {
  const known = signals.get(reply);
  if (known !== undefined) return known;
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort(new DOMException("The client left.", "AbortError"));
  });
  const parent = AbortSignal.any([options.signal, gone.signal]);
  const signal = options.clock.deadline(httpLimits.requestMsMax, parent);
  signals.set(reply, signal);
  return signal;
}
