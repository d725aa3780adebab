/** Counts and times the requests of the control API, by route and status; paths themselves are never labels. */

import type { Clock } from "#kernel/index.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Histogram, type Registry } from "prom-client";

const bucketsSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** Observes every request of `app` in `registry`. */
export function measureRequests(app: FastifyInstance, registry: Registry, clock: Clock): void {
  const duration = new Histogram({
    name: "faultline_control_request_seconds",
    help: "Duration of requests to the control process.",
    labelNames: ["route", "method", "status"],
    buckets: bucketsSeconds,
    registers: [registry],
  });
  const startedAt = new WeakMap<FastifyRequest, number>();
  app.addHook("onRequest", async (request) => {
    startedAt.set(request, clock.monotonicMs());
  });
  app.addHook("onResponse", async (request, reply) => {
    const started = startedAt.get(request);
    if (started === undefined) return;
    const route = request.routeOptions.url ?? "none";
    duration.observe(
      { route, method: request.method, status: String(reply.statusCode) },
      (clock.monotonicMs() - started) / 1_000,
    );
  });
}
