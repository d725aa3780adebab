/** For tests: an authority and some workers whose messages a test delivers when it likes, on a clock that it moves. */

import { defaultLimits, type LimitsConfig } from "#config/index.ts";
import type { KeyId, KeyTerms, TenantId } from "@faultline/protocol";

import type { SnapshotKey } from "../snapshot.ts";
import type { Grant } from "./grant.ts";
import type { AdmissionRequest, LayerTable } from "./layer-table.ts";
import type { LeaseDown, LeaseUp } from "./lease-messages.ts";
import { LimitAuthority } from "./limit-authority.ts";
import type { LimitRefusal } from "./limit-refusal.ts";
import { Limits } from "./limits.ts";

/** Limits that limit nothing, but for what a test says. */
export function limitsConfig(overrides: Partial<LimitsConfig> = {}): LimitsConfig {
  return { ...defaultLimits, failedKeys: { countMax: 5, windowMs: 60_000 }, ...overrides };
}

const acme = "acme" as TenantId;

export function keyOf(number: number, terms: KeyTerms = {}): SnapshotKey {
  return {
    id: `00000000-0000-7000-8000-00000000000${number}` as KeyId,
    tenantId: acme,
    name: `key ${number}`,
    hash: "",
    role: "service",
    terms,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
  };
}

export interface SimulatedCall {
  readonly worker: number;
  /** Which life of the worker it belongs to. */
  readonly life: number;
  readonly request: AdmissionRequest;
  readonly askedMs: number;
  leave: () => void;
  state: "waiting" | "left" | "lost" | "refused" | "running" | "turning" | "ended";
  admittedMs: number;
  tokensUsed: number;
  grant: Grant | undefined;
  refusal: LimitRefusal | undefined;
  /** What it used until it turned for the last time. */
  usedBefore: number;
  /** The targets that it was admitted to, in turn. */
  readonly visits: Visit[];
  /** Whose layers count it now. */
  visit: Visit | undefined;
}

/** The time of a call with one target. */
interface Visit {
  readonly request: AdmissionRequest;
  readonly admittedMs: number;
  /** What the target was admitted with, when the call itself was not. */
  readonly grant: Grant | undefined;
  tokensUsed: number;
}

interface SimulatedWorker {
  limits: Limits;
  up: LeaseUp[];
  down: LeaseDown[];
  life: number;
}

/** The name of a worker for the authority: number and life, so that a late message of a dead one is known as such. */
type WorkerName = string;

export class LimitsSimulation {
  nowMs = 0;
  table: LayerTable;
  readonly authority: LimitAuthority<WorkerName>;
  readonly workers: SimulatedWorker[];
  readonly calls: SimulatedCall[] = [];
  messageCount = 0;

  constructor(table: LayerTable, workerCount = 3) {
    this.table = table;
    this.authority = new LimitAuthority<WorkerName>({
      table,
      send: (name, message) => {
        this.messageCount += 1;
        this.#named(name)?.down.push(message);
      },
    });
    this.workers = Array.from({ length: workerCount }, () => this.#startWorker(0));
    this.workers.forEach((_, index) => this.authority.join(this.#nameOf(index), 0));
  }

  ask(worker: number, request: AdmissionRequest): SimulatedCall {
    const { limits, life } = this.worker(worker);
    const call: SimulatedCall = {
      worker,
      life,
      request,
      askedMs: this.nowMs,
      leave: () => {},
      state: "waiting",
      admittedMs: 0,
      tokensUsed: request.tokens,
      grant: undefined,
      refusal: undefined,
      usedBefore: 0,
      visits: [],
      visit: undefined,
    };
    this.calls.push(call);
    call.leave = limits.admit(request, (outcome) => {
      if (call.state !== "waiting") throw new Error(`a call that is ${call.state} was answered`);
      call.admittedMs = this.nowMs;
      if (outcome.kind === "admitted") {
        call.state = "running";
        call.grant = outcome.grant;
        this.#visit(call, { request, grant: undefined });
      } else {
        call.state = "refused";
        call.refusal = outcome.refusal;
      }
    });
    return call;
  }

  /** Turns a running call, which used so many tokens until now, to another target. One that refuses it leaves it with none. */
  turn(call: SimulatedCall, target: Partial<AdmissionRequest>, tokensUsed: number): void {
    if (call.state !== "running") return;
    this.#endVisit(call, tokensUsed);
    call.grant?.leaveTarget(tokensUsed);
    call.usedBefore = tokensUsed;
    call.state = "turning";
    const request = { ...call.request, ...target };
    call.leave = this.worker(call.worker).limits.admitTarget(request, (outcome) => {
      if (call.state !== "turning") throw new Error(`a call that is ${call.state} was answered`);
      call.state = "running";
      if (outcome.kind === "refused") return;
      this.#visit(call, { request, grant: outcome.grant });
    });
  }

  /** Ends a running call, which used so many tokens; also one that waits for another target. */
  end(call: SimulatedCall, tokensUsed: number): void {
    if (call.state !== "running" && call.state !== "turning") return;
    if (call.state === "turning") call.leave();
    call.state = "ended";
    call.tokensUsed = tokensUsed;
    this.#endVisit(call, tokensUsed);
    call.grant?.settle(tokensUsed);
    call.grant?.release();
  }

  leave(call: SimulatedCall): void {
    if (call.state !== "waiting") return;
    call.state = "left";
    call.leave();
  }

  #visit(call: SimulatedCall, rest: Pick<Visit, "request" | "grant">): void {
    const { tokens } = rest.request;
    call.visit = { ...rest, admittedMs: this.nowMs, tokensUsed: tokens };
    call.visits.push(call.visit);
  }

  #endVisit(call: SimulatedCall, tokensUsed: number): void {
    const { visit } = call;
    call.visit = undefined;
    if (visit === undefined) return;
    visit.tokensUsed = tokensUsed - call.usedBefore;
    visit.grant?.settle(visit.tokensUsed);
    visit.grant?.release();
  }

  deliverUp(worker: number): boolean {
    const { up } = this.worker(worker);
    const message = up.shift();
    if (message === undefined) return false;
    this.authority.receive(this.#nameOf(worker), structuredClone(message), this.nowMs);
    return true;
  }

  deliverDown(worker: number): boolean {
    const { down, limits } = this.worker(worker);
    const message = down.shift();
    if (message === undefined) return false;
    limits.onMessage(structuredClone(message));
    return true;
  }

  /** Delivers everything, until nothing is under way. */
  deliverAll(): void {
    for (let isMoving = true; isMoving;) {
      isMoving = false;
      for (let worker = 0; worker < this.workers.length; worker += 1) {
        while (this.deliverUp(worker) || this.deliverDown(worker)) isMoving = true;
      }
    }
  }

  tickWorker(worker: number): void {
    this.worker(worker).limits.tick();
  }

  /** Moves time in steps of the reports, delivering everything. */
  settle(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + 100);
      this.workers.forEach((_, index) => this.tickWorker(index));
      this.authority.tick(this.nowMs);
      this.deliverAll();
    }
  }

  /** A worker dies with its calls and with what it had not sent, and another one takes its place. */
  kill(worker: number): void {
    const { life } = this.worker(worker);
    for (const call of this.calls) {
      const isIts = call.worker === worker && call.life === life;
      if (isIts && ["running", "turning", "waiting"].includes(call.state)) call.state = "lost";
    }
    this.authority.lose(this.#nameOf(worker), this.nowMs);
    this.workers[worker] = this.#startWorker(life + 1);
    this.authority.join(this.#nameOf(worker), this.nowMs);
  }

  apply(table: LayerTable): void {
    this.table = table;
    this.authority.apply(table, this.nowMs);
    for (const { limits } of this.workers) limits.apply(table);
  }

  worker(worker: number): SimulatedWorker {
    const found = this.workers[worker];
    if (found === undefined) throw new Error(`there is no worker ${worker}`);
    return found;
  }

  #startWorker(life: number): SimulatedWorker {
    const up: LeaseUp[] = [];
    const limits = new Limits({
      clock: { monotonicMs: () => this.nowMs },
      table: this.table,
      send: (message) => {
        this.messageCount += 1;
        up.push(message);
      },
    });
    return { limits, up, down: [], life };
  }

  #nameOf(worker: number): WorkerName {
    return `${worker}.${this.worker(worker).life}`;
  }

  #named(name: WorkerName): SimulatedWorker | undefined {
    const [index = "", life] = name.split(".");
    const found = this.workers[Number(index)];
    return String(found?.life) === life ? found : undefined;
  }
}
