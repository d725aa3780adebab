/** `/livez`, `/readyz` and `/metrics`: for probes and Prometheus, without a key. */

import type { Health } from "@faultline/protocol";
import type { FastifyInstance } from "fastify";

import { requestSignal } from "./request-signal.ts";
import type { ControlOptions } from "./services.ts";

/** Adds the three routes. */
export function registerHealth(app: FastifyInstance, options: ControlOptions): void {
  app.get("/livez", async (): Promise<Health> => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const readiness = await options.services.readiness(requestSignal(reply, options));
    return reply.status(readiness.ready ? 200 : 503).send(readiness);
  });
  app.get("/metrics", async (_request, reply) => {
    const signal = requestSignal(reply, options);
    const parts = await Promise.all([
      options.registry.metrics(),
      options.services.gatewayMetrics(signal),
    ]);
    return reply.type(options.registry.contentType).send(parts.join("\n"));
  });
}
