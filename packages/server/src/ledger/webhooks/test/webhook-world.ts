/** For tests: webhooks over a real database, and processes that deliver. */

import type { LedgerDelivery, TenantId } from "@faultline/protocol";
import { pino } from "pino";

import { createIds, systemClock, systemRandom } from "#kernel/index.ts";

import type { Store } from "#storage/index.ts";

import type { DeliveryTimes } from "../limits.ts";
import { SecretBox } from "../secret-box.ts";
import { WebhookDelivery, type WebhookDeliveryParts } from "../webhook-delivery.ts";
import { type WebhookScope, Webhooks } from "../webhooks.ts";

/** Short enough for a test, long enough for a busy machine. */
export const testTimes: DeliveryTimes = {
  pollMs: 20,
  attemptMsMax: 60_000,
  leaseMs: 120_000,
  attemptCountMax: 4,
  backoffMsMin: 5,
  backoffMsMax: 20,
};

export interface WebhookWorld {
  readonly webhooks: Webhooks;
  readonly scope: WebhookScope;
  /** What was logged, a line each. */
  readonly log: readonly string[];
  /** Begins a process that delivers; the test disposes it. */
  deliver(more?: Partial<WebhookDeliveryParts>): WebhookDelivery;
  /** Resolves when the delivery stands so, with it. */
  when(id: string, holds: (delivery: LedgerDelivery) => boolean): Promise<LedgerDelivery>;
}

export function openWebhookWorld({
  store,
  tenantId,
  until,
  secretBox = new SecretBox([], systemRandom),
}: {
  readonly store: Store;
  readonly tenantId: TenantId;
  /** Resolves once it holds. */
  readonly until: (holds: () => Promise<boolean>) => Promise<void>;
  /** Default: secrets are kept as they are. */
  readonly secretBox?: SecretBox;
}): WebhookWorld {
  const { signal } = new AbortController();
  const scope = { tenantId, signal, actor: "test" };
  const log: string[] = [];
  const parts = {
    store,
    clock: systemClock,
    ids: createIds(systemClock, systemRandom),
    random: systemRandom,
    secretBox,
    logger: pino({ level: "trace" }, { write: (line: string) => void log.push(line) }),
    signal,
    allowsPrivate: () => true,
  };
  const webhooks = new Webhooks({ ...parts, onDue: () => {} });
  return {
    webhooks,
    scope,
    log,
    deliver: (more = {}) =>
      WebhookDelivery.open({ ...parts, ...more, times: { ...testTimes, ...more.times } }),
    async when(id, holds) {
      let found: LedgerDelivery | undefined;
      await until(async () => {
        [found] = await webhooks.deliveries(scope, { id });
        return found !== undefined && holds(found);
      });
      if (found === undefined) throw new Error("The delivery is gone.");
      return found;
    },
  };
}
