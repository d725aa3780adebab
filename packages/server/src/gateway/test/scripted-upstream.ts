/** An upstream of a test that takes one step for each request. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { systemClock } from "#kernel/index.ts";

/** What an upstream does with one request. */
export type Step = (request: IncomingMessage, response: ServerResponse) => unknown;

/** An upstream that takes one step for each request, and the last one for all that follow. */
export class ScriptedUpstream {
  #steps: readonly Step[] = [];
  hits: number[] = [];
  readonly #waiters = new Set<() => void>();

  /** Forgets what was, and takes these steps from now on. */
  plan(...steps: readonly Step[]): this {
    this.#steps = steps;
    this.hits = [];
    return this;
  }

  /** Resolves once so many requests have come. */
  async whenHit(count: number): Promise<void> {
    while (this.hits.length < count) {
      const next = Promise.withResolvers<void>();
      this.#waiters.add(next.resolve);
      await next.promise;
      this.#waiters.delete(next.resolve);
    }
  }

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    const step = this.#steps[Math.min(this.hits.length, this.#steps.length - 1)];
    this.hits.push(systemClock.monotonicMs());
    for (const waiter of this.#waiters) waiter();
    request.resume().on("end", () => step?.(request, response));
  };
}

/** An error of the provider. */
export function answer(
  status: number,
  headers: Record<string, string> = {},
  error: object = {},
): Step {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ error: { message: "no", type: null, code: null, ...error } }));
  };
}

/** A plain answer. */
export const whole: Step = (_request, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      id: "chatcmpl-1",
      model: "vendor/model-a-2026",
      choices: [{ message: { role: "assistant", content: "The sea" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    }),
  );
};

/** Parts of a stream, and its end. */
export function stream(...parts: string[]): Step {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) response.write(part);
    response.end();
  };
}

/** One event. */
export function frame(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

/** The event that says why the model stopped. */
export const finishFrame = frame({}, "stop");
/** The first event, which says nothing. */
export const role = frame({ role: "assistant", content: "" });
/** A whole stream. */
export const spoken = stream(role, frame({ content: "The sea" }), finishFrame, "data: [DONE]\n\n");
/** An error in a stream. */
export const inBandError =
  'data: {"error":{"message":"busy","type":"server_error","code":null}}\n\n';
