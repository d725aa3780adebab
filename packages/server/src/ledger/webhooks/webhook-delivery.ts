/**
 * Delivers what waits in the outbox, at least once: whatever is begun is written down before and after, so that another process
 * goes on when this one dies, and receivers tell repetitions by their ids.
 */

import { lookup } from "node:dns/promises";

import { type Clock, type Ids, isAbort, raceAbort, type Random } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";
import type { Logger } from "pino";

import { boundedResolve } from "./bounded-resolve.ts";
import { type AttemptEnd, DeliveryQueue, type TakenDelivery } from "./delivery-queue.ts";
import { type DeliveryTimes, deliveryTimes, webhookLimits } from "./limits.ts";
import { resealSecrets } from "./reseal-secrets.ts";
import type { SecretBox } from "./secret-box.ts";
import { type AttemptOutcome, type Resolve, sendWebhook } from "./send-webhook.ts";
import { signatureHeader, signWebhook } from "./sign-webhook.ts";

export interface WebhookDeliveryParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly secretBox: SecretBox;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** By the newest configuration: whether webhooks may reach addresses that are not of the internet. */
  readonly allowsPrivate: () => boolean;
  /** Default: as the system resolves names. */
  readonly resolve?: Resolve;
  readonly times?: Partial<DeliveryTimes>;
}

/** Attempts by how they ended, since the process began; `waitingCount` is as of the latest look. */
export interface DeliveryCounts {
  delivered: number;
  again: number;
  failed: number;
  attemptMsSum: number;
  waitingCount: number;
}

export class WebhookDelivery implements AsyncDisposable {
  readonly #parts: WebhookDeliveryParts;
  readonly #times: DeliveryTimes;
  readonly #queue: DeliveryQueue;
  readonly #resolve: Resolve;
  readonly #ending = new AbortController();
  /** Attempts under way, with the webhooks that they go to. */
  readonly #attempts = new Map<Promise<void>, string>();
  #wake = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();
  #droppedMs = Number.NEGATIVE_INFINITY;
  #isAway = false;
  /** Whether what an earlier process wrote is sealed as this one seals. */
  #isResealed = false;
  readonly counts: DeliveryCounts = {
    delivered: 0,
    again: 0,
    failed: 0,
    attemptMsSum: 0,
    waitingCount: 0,
  };

  private constructor(parts: WebhookDeliveryParts) {
    this.#parts = parts;
    this.#times = { ...deliveryTimes, ...parts.times };
    this.#queue = new DeliveryQueue(parts);
    const bySystem: Resolve = (host) => lookup(host, { all: true });
    this.#resolve = parts.resolve ?? boundedResolve(bySystem, webhookLimits.lookupsAtOnceMax);
  }

  /** Begins to deliver. */
  static open(parts: WebhookDeliveryParts): WebhookDelivery {
    const delivery = new WebhookDelivery(parts);
    delivery.#loop = delivery.#run();
    return delivery;
  }

  /** Looks at once for what is due. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Attempts under way at this moment. */
  get attemptCount(): number {
    return this.#attempts.size;
  }

  /** Attempts that are under way are broken off, and taken up by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new DOMException("The delivery ends.", "AbortError"));
    await this.#loop;
    await Promise.all(this.#attempts.keys());
  }

  async #run(): Promise<void> {
    const { clock, signal, logger } = this.#parts;
    const ending = AbortSignal.any([signal, this.#ending.signal]);
    while (!ending.aborted) {
      try {
        await this.#pass(ending);
        this.#isAway = false;
      } catch (error) {
        // Said once for each outage.
        if (!ending.aborted && !this.#isAway)
          logger.warn({ err: error }, "webhooks cannot be delivered; it is tried again");
        this.#isAway = true;
      }
      await this.#pause(clock, ending);
    }
  }

  /** Until there may be something to do. */
  async #pause(clock: Clock, ending: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const signal = AbortSignal.any([ending, woken.signal]);
    try {
      await Promise.race([
        clock.sleep(this.#times.pollMs, signal),
        raceAbort(this.#wake.promise, signal),
      ]);
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      woken.abort(new DOMException("The pause is over.", "AbortError"));
      this.#wake = Promise.withResolvers();
    }
  }

  async #pass(ending: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    if (!this.#isResealed) await resealSecrets(this.#parts, ending);
    this.#isResealed = true;
    await this.#queue.handOver(clock.nowMs(), ending);
    while (this.#attempts.size < webhookLimits.attemptsAtOnceMax) {
      const nowMs = clock.nowMs();
      const untilMs = nowMs + this.#times.leaseMs;
      const taken = await this.#queue.take({ nowMs, untilMs, busy: this.#busyWebhooks() }, ending);
      if (taken === undefined) break;
      const attempt = this.#attempt(taken);
      this.#attempts.set(attempt, keyOf(taken));
      void attempt.finally(() => {
        this.#attempts.delete(attempt);
        this.wake();
      });
    }
    await this.#look(ending);
  }

  /** Counts what waits, and drops what is old, now and then. */
  async #look(ending: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    this.counts.waitingCount = await this.#queue.countWaiting(ending);
    if (clock.monotonicMs() - this.#droppedMs < webhookLimits.dropIntervalMs) return;
    await this.#queue.dropOld(clock.nowMs(), ending);
    this.#droppedMs = clock.monotonicMs();
  }

  #busyWebhooks(): string[] {
    const counts = new Map<string, number>();
    for (const key of this.#attempts.values()) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts]
      .filter(([, count]) => count >= webhookLimits.attemptsAtOncePerWebhookMax)
      .map(([key]) => key);
  }

  /** Never rejects. */
  async #attempt(taken: TakenDelivery): Promise<void> {
    const { clock, logger, signal } = this.#parts;
    const { tenantId, id, webhookId, attemptCount } = taken;
    const startedMs = clock.monotonicMs();
    const end = await this.#send(taken);
    if (end.kind !== "given-back") {
      this.counts[end.kind] += 1;
      this.counts.attemptMsSum += clock.monotonicMs() - startedMs;
    }
    if (end.kind === "failed")
      logger.warn(
        { tenantId, webhookId, deliveryId: id, attemptCount, failure: end.failure },
        "a webhook did not take a delivery, and is not asked any more",
      );
    try {
      const deadline = clock.deadline(this.#times.attemptMsMax, signal);
      await this.#queue.end(taken, end, { nowMs: clock.nowMs(), signal: deadline });
    } catch (error) {
      // It is attempted once more when its lease is over: receivers know the id.
      if (!signal.aborted)
        logger.warn({ err: error, tenantId, deliveryId: id }, "the end of a delivery is not kept");
    }
  }

  async #send(taken: TakenDelivery): Promise<AttemptEnd> {
    const { clock, allowsPrivate, signal } = this.#parts;
    const { body, url, id, attemptCount } = taken;
    // Whoever began the last attempt died in it.
    if (attemptCount > this.#times.attemptCountMax)
      return { kind: "failed", status: null, failure: "The last attempt was broken off." };
    const ending = AbortSignal.any([signal, this.#ending.signal]);
    const secrets = this.#openSecrets(taken);
    if (secrets === undefined)
      return this.#endOf({ kind: "failed", reason: "Its secret cannot be opened." }, attemptCount);
    const headers = {
      "user-agent": "faultline-webhook",
      "x-faultline-delivery": id,
      [signatureHeader]: signWebhook(body, { secrets, atMs: clock.nowMs() }),
    };
    const outcome = await sendWebhook(
      { url, headers, body },
      {
        resolve: this.#resolve,
        allowsPrivate: allowsPrivate(),
        signal: clock.deadline(this.#times.attemptMsMax, ending),
      },
    );
    if (ending.aborted && outcome.kind === "failed")
      return { kind: "given-back", atMs: clock.nowMs() };
    return this.#endOf(outcome, attemptCount);
  }

  #openSecrets({ tenantId, webhookId, secrets }: TakenDelivery): string[] | undefined {
    const { secretBox, logger } = this.#parts;
    try {
      return secrets.map((secret) => secretBox.open(secret, { tenantId, webhookId }));
    } catch (error) {
      logger.error({ err: error, tenantId, webhookId }, "the secret of a webhook is not opened");
      return undefined;
    }
  }

  #endOf(outcome: AttemptOutcome, attemptCount: number): AttemptEnd {
    if (outcome.kind === "delivered") return outcome;
    const status = outcome.kind === "refused" ? outcome.status : null;
    const failure =
      outcome.kind === "refused" ? `It answered with status ${outcome.status}.` : outcome.reason;
    if (attemptCount >= this.#times.attemptCountMax) return { kind: "failed", status, failure };
    const askedMs = outcome.kind === "refused" ? (outcome.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(
      this.#backoffMs(attemptCount),
      Math.min(askedMs, this.#times.backoffMsMax),
    );
    return { kind: "again", status, failure, atMs: this.#parts.clock.nowMs() + delayMs };
  }

  /** Full jitter: anything from nothing to a bound that doubles. */
  #backoffMs(attemptCount: number): number {
    const { backoffMsMin, backoffMsMax } = this.#times;
    const bound = Math.min(backoffMsMin * 2 ** (attemptCount - 1), backoffMsMax);
    return this.#parts.random.integer(Math.floor(bound) + 1);
  }
}

function keyOf({ tenantId, webhookId }: TakenDelivery): string {
  return `${tenantId}/${webhookId}`;
}
