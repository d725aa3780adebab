/**
 * The control side of the limits: counts every layer, lends slices of it to workers, calls idle slices back when another
 * worker needs them, and decides each ask over all of its layers at once. All of it is computation; the time is an
 * argument, and messages leave through `send`.
 */

import { notLimited } from "#config/index.ts";
import { assert } from "#kernel/index.ts";

import { FailedKeyCounter } from "./failed-key-counter.ts";
import { type LayerName, layerId, sameLimits } from "./layer.ts";
import { LayerAccount } from "./layer-account.ts";
import type { LayerTable } from "./layer-table.ts";
import { leaseBounds } from "./lease-bounds.ts";
import type { LeaseAnswer, LeaseAsk, LeaseDown, LeaseUp } from "./lease-messages.ts";
import { PendingAsk, type RecallPost } from "./pending-ask.ts";

/** What a message to a worker grows into until it is sent. */
interface Outbox {
  acknowledges: boolean;
  readonly answers: LeaseAnswer[];
  /** The latest number of each slice. */
  readonly recalls: Map<string, number>;
  readonly resumes: Set<string>;
  readonly levels: LeaseDown["levels"][number][];
  readonly blocked: LeaseDown["blocked"][number][];
}

export interface AuthorityParts<Worker> {
  readonly table: LayerTable;
  readonly send: (worker: Worker, message: LeaseDown) => void;
}

export class LimitAuthority<Worker> {
  readonly #send: (worker: Worker, message: LeaseDown) => void;
  #table: LayerTable;
  readonly #workers = new Map<Worker, Outbox>();
  readonly #accounts = new Map<string, LayerAccount<Worker>>();
  /** How many layers of a scope are counted one by one for a tenant. */
  readonly #counts = new Map<string, number>();
  #pending: PendingAsk<Worker>[] = [];
  readonly #failedKeys: FailedKeyCounter;
  readonly #post: RecallPost<Worker> = {
    recall: (worker, layerId, number) => {
      const outbox = this.#workers.get(worker);
      outbox?.resumes.delete(layerId);
      outbox?.recalls.set(layerId, number);
    },
    resume: (worker, layerId) => void this.#workers.get(worker)?.resumes.add(layerId),
  };
  #sweptMs = 0;

  constructor({ table, send }: AuthorityParts<Worker>) {
    this.#table = table;
    this.#send = send;
    this.#failedKeys = new FailedKeyCounter(() => this.#table.failedKeys);
  }

  /** Layers that are counted, for metrics. */
  get layerCount(): number {
    return this.#accounts.size;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** A worker that will ask. It learns at once which addresses are blocked. */
  join(worker: Worker, nowMs: number): void {
    this.#workers.set(worker, newOutbox());
    this.#workers.get(worker)?.blocked.push(...this.#failedKeys.blocked(nowMs));
    this.#flush();
  }

  /** A worker is gone: its slices come back, and its asks are nobody's. */
  lose(worker: Worker, nowMs: number): void {
    this.#workers.delete(worker);
    this.#pending = this.#pending.filter((pending) => {
      if (pending.worker === worker) pending.end();
      return pending.worker !== worker;
    });
    for (const account of this.#accounts.values()) account.lose(worker, nowMs);
    this.#decidePending(nowMs);
    this.#flush();
  }

  /** Works by new limits. Workers give back what is idle of a layer that changed, when they learn of it. */
  apply(table: LayerTable, nowMs: number): void {
    this.#table = table;
    for (const account of this.#accounts.values()) {
      const limits = table.limitsOf(account.of, account.of.tenantId) ?? notLimited;
      if (!sameLimits(limits, account.limits)) account.setLimits(limits, nowMs);
    }
    this.#decidePending(nowMs);
    this.#flush();
  }

  receive(worker: Worker, message: LeaseUp, nowMs: number): void {
    const outbox = this.#workers.get(worker);
    // What a worker sent before it died may still be on its way.
    if (outbox === undefined) return;
    outbox.acknowledges = true;
    for (const report of message.reports) {
      const account = this.#accounts.get(report.id);
      if (account === undefined) continue;
      account.note(worker, report, nowMs);
      outbox.levels.push({ id: report.id, levels: account.levels(nowMs) });
    }
    for (const { id, number } of message.recalled)
      this.#accounts.get(id)?.recalls.noteAnswer(worker, number);
    for (const address of message.failedAddresses) this.#noteFailed(address, nowMs);
    this.#decidePending(nowMs);
    for (const ask of message.asks) this.#receiveAsk(worker, ask, nowMs);
    this.#flush();
  }

  /** Called again and again: decides what has waited long enough, and drops counters that say nothing. */
  tick(nowMs: number): void {
    this.#decidePending(nowMs);
    this.#flush();
    if (nowMs - this.#sweptMs < leaseBounds.sweepMs) return;
    this.#sweptMs = nowMs;
    this.#failedKeys.sweep(nowMs);
    // Asks that wait decide by the accounts that they began with.
    const inUse = new Set(this.#pending.flatMap(({ accounts }) => accounts));
    for (const account of this.#accounts.values()) {
      if (account.isFresh(nowMs) && !inUse.has(account)) this.#drop(account);
    }
  }

  #receiveAsk(worker: Worker, ask: LeaseAsk, nowMs: number): void {
    const accounts = ask.layers.map((layer) => this.#accountOf(layer, ask, nowMs));
    const pending = new PendingAsk({ worker, ask, accounts, sinceMs: nowMs }, this.#post);
    if (!this.#decide(pending, nowMs)) this.#pending.push(pending);
  }

  /** In the order of arrival, so that who waits longest is served first. */
  #decidePending(nowMs: number): void {
    if (this.#pending.length === 0) return;
    this.#pending = this.#pending.filter((pending) => !this.#decide(pending, nowMs));
  }

  /** Answers an ask, or waits for what it calls back. */
  #decide(pending: PendingAsk<Worker>, nowMs: number): boolean {
    const { worker, ask, accounts, sinceMs } = pending;
    const lacking = accounts.flatMap((account) => {
      const dimensions = account?.lacking(ask.tokens, nowMs) ?? [];
      return account === undefined || dimensions.length === 0 ? [] : { account, dimensions };
    });
    if (lacking.length === 0) {
      pending.end();
      const call = { tokens: ask.tokens, nowMs, workerCount: this.#workers.size };
      const grants = accounts.flatMap((account, layerIndex) =>
        account === undefined ? [] : { layerIndex, ...account.lend(worker, call) },
      );
      this.#answer(worker, { askId: ask.askId, kind: "granted", grants });
      return true;
    }
    const needs = { tokens: ask.tokens, nowMs };
    const couldFit =
      nowMs - sinceMs < leaseBounds.recallMsMax &&
      lacking.every(({ account, dimensions }) =>
        dimensions.every((dimension) => account.couldRecall(dimension, needs)),
      );
    if (couldFit && pending.isWaitingFor(lacking.map(({ account }) => account))) return false;
    pending.end();
    const refusals = lacking.map(({ account, dimensions }) =>
      account.refusal(dimensions, ask.tokens, nowMs),
    );
    const refusal = refusals.reduce((last, next) =>
      next.retryAfterMs > last.retryAfterMs ? next : last,
    );
    this.#answer(worker, { askId: ask.askId, kind: "refused", refusal });
    return true;
  }

  #answer(worker: Worker, answer: LeaseAnswer): void {
    this.#workers.get(worker)?.answers.push(answer);
  }

  /** The account that counts a layer; `undefined` when nothing limits it any more. */
  #accountOf(layer: LayerName, ask: LeaseAsk, nowMs: number): LayerAccount<Worker> | undefined {
    const { tenantId } = ask;
    const limits = this.#table.limitsOf(layer, tenantId);
    if (limits === undefined) return undefined;
    const id = layerId(layer);
    const known = this.#accounts.get(id);
    if (known !== undefined) return known;
    const countId = `${layer.scope}/${tenantId}`;
    const count = this.#counts.get(countId) ?? 0;
    // Names of users and addresses are the callers' to choose; all others come from what is configured and bounded.
    const isBounded = layer.scope !== "user" && layer.scope !== "client-address";
    const hasRoom =
      count < leaseBounds.layersPerTenantMax && this.#accounts.size < leaseBounds.layersMax;
    if (isBounded || hasRoom) {
      this.#counts.set(countId, count + 1);
      return this.#open({ ...layer, id, tenantId, shared: false }, limits, nowMs);
    }
    const sharedId = `${layer.scope}, the others of:${tenantId}`;
    const name = `${tenantId} (all beyond the first ${leaseBounds.layersPerTenantMax})`;
    return (
      this.#accounts.get(sharedId) ??
      this.#open({ scope: layer.scope, name, id: sharedId, tenantId, shared: true }, limits, nowMs)
    );
  }

  #open(
    of: LayerAccount<Worker>["of"],
    limits: LayerAccount<Worker>["limits"],
    nowMs: number,
  ): LayerAccount<Worker> {
    const account = new LayerAccount<Worker>(of, limits, nowMs);
    this.#accounts.set(of.id, account);
    return account;
  }

  #drop({ of }: LayerAccount<Worker>): void {
    this.#accounts.delete(of.id);
    if (of.shared) return;
    const countId = `${of.scope}/${of.tenantId}`;
    const count = this.#counts.get(countId) ?? 0;
    assert(count > 0, "every account that is not shared was counted");
    if (count === 1) this.#counts.delete(countId);
    else this.#counts.set(countId, count - 1);
  }

  #noteFailed(address: string, nowMs: number): void {
    const blocked = this.#failedKeys.note(address, nowMs);
    if (blocked === undefined) return;
    for (const outbox of this.#workers.values()) outbox.blocked.push(blocked);
  }

  #flush(): void {
    for (const [worker, outbox] of this.#workers) {
      if (isEmpty(outbox)) continue;
      this.#workers.set(worker, newOutbox());
      const recalls = [...outbox.recalls].map(([id, number]) => ({ id, number }));
      this.#send(worker, { ...outbox, recalls, resumes: [...outbox.resumes] });
    }
  }
}

function newOutbox(): Outbox {
  return {
    acknowledges: false,
    answers: [],
    recalls: new Map(),
    resumes: new Set(),
    levels: [],
    blocked: [],
  };
}

function isEmpty(outbox: Outbox): boolean {
  const { acknowledges, answers, recalls, resumes, levels, blocked } = outbox;
  const wordCount = answers.length + recalls.size + resumes.size + levels.length + blocked.length;
  return !acknowledges && wordCount === 0;
}
