/** One gateway worker: builds itself from the start message, then serves until it is told to drain or left alone. */

import {
  type Clock,
  createIds,
  type Random,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "#kernel/index.ts";

import { leaseBounds } from "../admission/lease-bounds.ts";
import { Limits } from "../admission/limits.ts";
import { CreditDesk } from "../credit/credit-desk.ts";
import { creditLimits } from "../credit/limits.ts";
import { Admission } from "../calls/admission.ts";
import { ControlProxy } from "./control-proxy.ts";
import { Targets } from "../dispatch/targets.ts";
import { Deadlines } from "../calls/deadlines.ts";
import { ControlLink } from "../observation/control-link.ts";
import { EventLoopWatch } from "../observation/event-loop-watch.ts";
import { type GatewayGauges, GatewayMetrics } from "../observation/gateway-metrics.ts";
import { DescriptorReserve, readDescriptorLimit } from "./descriptor-reserve.ts";
import { GatewayServer } from "./gateway-server.ts";
import { type GatewayState, toKnowledge } from "./gateway-state.ts";
import { gatewayLimits } from "../limits.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";
import { JournalWatch } from "./journal-watch.ts";
import { leaveRecords } from "./left-records.ts";
import { OperationQueue } from "./operation-queue.ts";
import { readMetrics } from "../observation/read-metrics.ts";
import { createKeptReplies } from "./kept-replies.ts";
import { Peers } from "./peers.ts";
import { RecordSpill } from "./record-spill.ts";
import { ReplyReaders } from "../calls/reply-readers.ts";
import { RequestReaders } from "../calls/request-readers.ts";
import { Policies } from "../policy/policies.ts";
import { SimulatedUpstream } from "../simulated/upstream.ts";
import type { GatewaySnapshot } from "../snapshot.ts";
import { TraceContexts } from "../calls/trace-context.ts";
import { Upstreams } from "../calls/upstreams.ts";

import path from "node:path";

/** The supervisor as a worker sees it. */
export interface SupervisorChannel {
  /** `false` when the message cannot be taken. */
  send(message: FromWorker): boolean;
  onMessage(listener: (message: ToWorker) => void): void;
  onDisconnect(listener: () => void): void;
  /** Ends this process. */
  exit(code: number): void;
}

/** Serves until the process ends. */
export function runWorker(channel: SupervisorChannel): void {
  let worker: Worker | undefined;
  channel.onMessage((message) => {
    if (message.kind !== "start") {
      worker?.onMessage(message);
      return;
    }
    worker = new Worker(channel, message.start);
    worker.open().catch((error: unknown) => reportFailedStart(channel, error));
  });
  // Without a supervisor nobody would know of new calls, and the port must be free for the next one.
  channel.onDisconnect(() => {
    if (worker === undefined) channel.exit(0);
    else worker.onOrphaned();
  });
}

function reportFailedStart(channel: SupervisorChannel, error: unknown): void {
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const message = error instanceof Error ? error.message : String(error);
  channel.send({ kind: "start-failed", code, message });
  channel.exit(1);
}

/** Names of files by chance, so that no two are the same. */
const nameBound = 1_000_000_000;

class Worker {
  readonly #channel: SupervisorChannel;
  readonly #start: WorkerStart;
  readonly #clock: Clock = systemClock;
  readonly #random: Random = systemRandom;
  readonly #stopping = new AbortController();
  readonly #loop = new EventLoopWatch(this.#clock, systemEventLoop);
  readonly #state: GatewayState;
  readonly #spill: RecordSpill;
  readonly #control: ControlProxy;
  readonly #server: GatewayServer;
  #simulated: SimulatedUpstream | undefined;
  #isOrphaned = false;

  constructor(channel: SupervisorChannel, start: WorkerStart) {
    this.#channel = channel;
    this.#start = start;
    const queue = new OperationQueue(
      (batchId, records) => channel.send({ kind: "operations", batchId, records }),
      this.#clock,
    );
    const descriptors = new DescriptorReserve(readDescriptorLimit());
    const metrics = new GatewayMetrics(this.#gauges(queue));
    const deadlines = new Deadlines(this.#clock, this.#stopping.signal, this.#loop);
    const knowledge = toKnowledge(start.snapshot);
    const kept = createKeptReplies({
      start,
      clock: this.#clock,
      random: this.#random,
      deadlines,
      signal: this.#stopping.signal,
      settings: () => this.#state.knowledge.settings,
      log: this.#logError,
    });
    const credit = this.#makeCreditDesk();
    this.#state = {
      worker: start,
      peers: new Peers({
        folder: path.dirname(start.controlSocketPath),
        index: start.index,
        headerBytesMax: start.snapshot.settings.headerBytesMax,
        clock: this.#clock,
      }),
      ...kept,
      journals: new JournalWatch({ ...kept, credit, send: (message) => channel.send(message) }),
      knowledge,
      draining: false,
      clock: this.#clock,
      loop: this.#loop,
      controlLink: new ControlLink(this.#clock),
      ids: createIds(this.#clock, this.#random.fork("ids")),
      traces: new TraceContexts(this.#random.fork("traces")),
      deadlines,
      limits: new Limits({
        clock: this.#clock,
        table: knowledge.layers,
        send: (message) => channel.send({ kind: "limits", message }),
      }),
      credit,
      admission: new Admission({
        clock: this.#clock,
        deadlines,
        concurrencyMax: () => this.#state.knowledge.settings.concurrencyMax,
      }),
      targets: new Targets({
        ticks: deadlines,
        clock: this.#clock,
        random: this.#random.fork("targets"),
        settings: () => this.#state.knowledge.settings,
      }),
      random: this.#random.fork("calls"),
      upstreams: new Upstreams(start.simulatedSocketPath, descriptors),
      descriptors,
      readers: new ReplyReaders(),
      requestReaders: new RequestReaders(start.snapshot.settings.depthMax),
      policies: new Policies(),
      queue,
      metrics,
      log: (level, message, fields) => channel.send({ kind: "log", level, message, fields }),
    };
    this.#spill = this.#openSpill(queue);
    this.#control = new ControlProxy(start.controlSocketPath, metrics);
    this.#server = new GatewayServer(this.#state, this.#control);
  }

  async open(): Promise<void> {
    this.#simulated = await SimulatedUpstream.open(
      { socketPath: this.#start.simulatedSocketPath },
      {
        clock: this.#clock,
        random: this.#random.fork("simulated"),
        simulationOf: (name) => this.#simulationOf(name),
      },
    );
    this.#state.upstreams.apply(this.#start.snapshot);
    this.#state.credit.open();
    await this.#state.streams.open();
    await this.#state.keyed.open();
    await this.#state.peers.listen(this.#server.listener);
    this.#clock.every(gatewayLimits.operationFlushMs, this.#stopping.signal, () => {
      this.#state.queue.flush();
      void this.#spill.check();
    });
    this.#clock.every(creditLimits.reportMs, this.#stopping.signal, () =>
      this.#state.credit.tick(),
    );
    this.#clock.every(leaseBounds.reportMs, this.#stopping.signal, () => this.#state.limits.tick());
    this.#clock.every(gatewayLimits.controlSignMs, this.#stopping.signal, () => {
      this.#state.controlLink.check();
      this.#state.journals.check();
    });
    const port = await this.#server.listen(this.#start);
    this.#channel.send({ kind: "listening", port });
  }

  onMessage(message: Exclude<ToWorker, { kind: "start" }>): void {
    this.#loop.touch();
    this.#state.controlLink.onHeard();
    switch (message.kind) {
      case "snapshot":
        this.#apply(message.snapshot);
        return;
      case "limits":
        this.#state.limits.onMessage(message.message);
        return;
      case "credit":
        this.#state.credit.onMessages(message.messages);
        return;
      case "operations-stored":
        this.#state.queue.onStored(message.batchId);
        return;
      case "operations-refused":
        this.#state.queue.onRefused(message.batchId);
        return;
      case "report-metrics":
        this.#channel.send({
          kind: "metrics",
          requestId: message.requestId,
          metrics: readMetrics(this.#state),
        });
        return;
      case "alive":
        return;
      case "drain":
        void this.#drain();
        return;
    }
  }

  /** The supervisor is gone: what is under way may end in the time of a drain, and nothing new is begun. */
  onOrphaned(): void {
    this.#isOrphaned = true;
    // Nobody is left who would end a worker that hangs.
    const { drainMs } = this.#start;
    const last = this.#clock.deadline(drainMs + gatewayLimits.exitWaitMs);
    last.addEventListener("abort", () => this.#channel.exit(1), { once: true });
    void this.#drain();
  }

  #apply(snapshot: GatewaySnapshot): void {
    if (snapshot.version >= this.#state.knowledge.version) {
      this.#state.upstreams.apply(snapshot);
      this.#state.knowledge = toKnowledge(snapshot);
      this.#state.limits.apply(this.#state.knowledge.layers);
      this.#state.requestReaders.apply(snapshot.settings.depthMax);
      this.#state.targets.apply(snapshot.catalog);
      this.#state.admission.apply();
    }
    this.#channel.send({ kind: "snapshot-applied", version: snapshot.version });
  }

  async #drain(): Promise<void> {
    if (this.#state.draining) return;
    await this.#server.drain(this.#clock.deadline(this.#start.drainMs));
    await this.#state.streams[Symbol.asyncDispose]();
    await this.#state.keyed[Symbol.asyncDispose]();
    if (!this.#isOrphaned) {
      const deadline = this.#clock.deadline(gatewayLimits.operationRetryMs * 2);
      await this.#state.queue.whenEmpty(deadline);
    }
    await this.#spill.leaveAll();
    // Without a control process its journal tells the next one what was used.
    const returnMs = this.#isOrphaned ? 0 : creditLimits.returnMsMax;
    await this.#state.credit.close(this.#clock.deadline(returnMs));
    this.#stopping.abort();
    this.#state.metrics.close();
    this.#control.close();
    await this.#state.upstreams.close();
    await this.#simulated?.[Symbol.asyncDispose]();
    this.#channel.exit(0);
  }

  #makeCreditDesk(): CreditDesk {
    return new CreditDesk({
      start: this.#start.credit,
      clock: this.#clock,
      eventLoop: systemEventLoop,
      processId: process.pid,
      send: (messages) => this.#channel.send({ kind: "credit", messages }),
    });
  }

  #openSpill(queue: OperationQueue): RecordSpill {
    const { journalFolder, index } = this.#start;
    const leave = async (records: readonly string[]): Promise<void> => {
      const name = `${this.#clock.nowMs()}-${index}-${this.#random.integer(nameBound)}`;
      await leaveRecords(journalFolder, name, records);
    };
    return new RecordSpill({ queue, leave, log: this.#logError });
  }

  readonly #logError = (message: string, fields: Readonly<Record<string, unknown>>): void => {
    this.#channel.send({ kind: "log", level: "error", message, fields });
  };

  #gauges(queue: OperationQueue): GatewayGauges {
    return {
      openOperations: () => this.#state.admission.takenCount,
      openStreams: () => this.#server.openStreamCount,
      waitingOperations: () => this.#state.admission.queueLength,
      queueLength: () => queue.length,
      queueDroppedCount: () => queue.droppedCount,
      snapshotVersion: () => this.#state.knowledge.version,
      credit: () => this.#state.credit.use(),
    };
  }

  #simulationOf(name: string) {
    return this.#state.knowledge.catalog.snapshot.providers.find(
      (provider) => provider.name === name,
    )?.simulation;
  }
}
