/** Metrics of webhooks. */

import { Counter, Gauge, type Registry } from "prom-client";

import { webhookLimits } from "./limits.ts";
import type { WebhookDelivery } from "./webhook-delivery.ts";

/** Registers metrics that look at the delivery whenever they are collected. */
export function registerWebhookMetrics(
  registry: Registry,
  delivery: Pick<WebhookDelivery, "counts" | "attemptCount">,
): void {
  const registers = [registry];
  const attempts = new Counter({
    name: "faultline_webhook_attempts_total",
    help: "Attempts to deliver by how they ended: `delivered`, `again` (it is attempted once more), `failed` (it is not).",
    labelNames: ["outcome"],
    registers,
    collect() {
      attempts.reset();
      const { delivered, again, failed } = delivery.counts;
      attempts.inc({ outcome: "delivered" }, delivered);
      attempts.inc({ outcome: "again" }, again);
      attempts.inc({ outcome: "failed" }, failed);
    },
  });
  const seconds: Counter = new Counter({
    name: "faultline_webhook_attempt_seconds_total",
    help: "Time that attempts took, over all of them.",
    registers,
    collect() {
      seconds.reset();
      seconds.inc(delivery.counts.attemptMsSum / 1_000);
    },
  });
  const waiting: Gauge = new Gauge({
    name: "faultline_webhook_waiting_deliveries",
    help: "Deliveries that wait for their next attempt, of all tenants.",
    registers,
    collect() {
      waiting.set(delivery.counts.waitingCount);
    },
  });
  const open = new Gauge({
    name: "faultline_webhook_open_attempts",
    help: "Attempts under way, and the most that may be.",
    labelNames: ["state"],
    registers,
    collect() {
      open.set({ state: "open" }, delivery.attemptCount);
      open.set({ state: "limit" }, webhookLimits.attemptsAtOnceMax);
    },
  });
}
