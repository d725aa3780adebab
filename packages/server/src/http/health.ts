/** `/livez`, `/readyz` and `/metrics`: for probes and Prometheus, without a key. */

import { expositionFormat, expositionTypes } from "#gateway/index.ts";
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
  app.get("/metrics", async (request, reply) => {
    const format = expositionFormat(request.headers.accept);
    const own = await options.registry.getMetricsAsJSON();
    // The types of `prom-client` number what it gives as text.
    const shown = own.map((metric) => ({ ...metric, type: String(metric.type) }));
    const text = await options.services.metrics(format, shown);
    return reply.type(expositionTypes[format]).send(text);
  });
}
