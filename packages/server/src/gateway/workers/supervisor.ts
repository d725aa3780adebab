/** Keeps the gateway's workers running: starts them, feeds them snapshots, takes their records, drains them. */

import path from "node:path";

import { type Clock, isAbort, raceAbort } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import { LayerTable } from "../admission/layer-table.ts";
import { leaseBounds } from "../admission/lease-bounds.ts";
import { LimitAuthority } from "../admission/limit-authority.ts";
import { CreditControl, type CreditSource } from "../credit/credit-control.ts";
import { gatewayLimits } from "../limits.ts";
import { LeftRecords } from "./left-records.ts";
import type { FromWorker } from "./messages.ts";
import {
  type ExpositionFormat,
  type ShownMetric,
  writeExposition,
} from "../observation/exposition.ts";
import { MetricsCollector } from "../observation/metrics-collector.ts";
import { type OperationBatch, toOperationBatch } from "./operation-batch.ts";
import { fromOperationText } from "./operation-text.ts";
import { probePort } from "./probe-port.ts";
import type { GatewaySnapshot } from "../snapshot.ts";
import { defaultWorkerEntry, WorkerProcess } from "./worker-process.ts";

/** What the supervisor needs of a logger; pino's fits. */
export interface GatewayLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface GatewayOptions {
  readonly count: number;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly controlSocketPath: string;
  /** Holds the journals of the processes; they must outlive a restart. Default: beside the control socket. */
  readonly journalFolder?: string;
  readonly snapshot: GatewaySnapshot;
  /** Absent: no call of a tenant that pays is admitted. */
  readonly credit?: CreditSource;
  /** Stores finished operations. While it rejects, workers keep them and send them again. */
  readonly onOperations: (batch: OperationBatch) => Promise<void>;
  readonly logger: GatewayLogger;
  readonly clock: Clock;
  /** Ends the start and every wait; does not drain. */
  readonly signal: AbortSignal;
  /** The worker's entry, when it does not lie beside this module. */
  readonly workerEntry?: URL;
  readonly drainMs?: number;
}

export interface Gateway extends AsyncDisposable {
  readonly port: number;
  /** Process ids of the workers that run now. */
  readonly workerIds: readonly number[];
  /** Journals of the workers that run now which take no records: of usage, or of kept replies until their process is started anew. */
  readonly failedJournalCount: number;
  /** Resolves when every worker works from this snapshot: a revoked key is refused from then on. */
  updateSnapshot(snapshot: GatewaySnapshot): Promise<void>;
  /** What a scraper reads: all workers together, and what else there is to show. */
  metrics(format?: ExpositionFormat, others?: readonly ShownMetric[]): Promise<string>;
  /** Resolves with the reason when the gateway cannot go on. */
  readonly lost: Promise<PlatformError>;
}

/** Starts the workers and resolves when all of them listen. Throws `port_taken`. */
export async function startGatewayWorkers(options: GatewayOptions): Promise<Gateway> {
  const supervisor = new Supervisor(options);
  try {
    await supervisor.open();
    return supervisor;
  } catch (error) {
    await supervisor[Symbol.asyncDispose]();
    throw error;
  }
}

/** One place for a worker; the process in it is replaced when it dies. */
interface Slot {
  readonly index: number;
  worker: WorkerProcess;
  startedMs: number;
  deathsInARow: number;
  generation: number;
  failedJournalCount: number;
}

class Supervisor implements Gateway {
  readonly #options: GatewayOptions;
  readonly #entry: URL;
  readonly #slots: Slot[] = [];
  readonly #collector: MetricsCollector;
  readonly #authority: LimitAuthority<WorkerProcess>;
  readonly #credit: CreditControl<WorkerProcess>;
  readonly #leftRecords: LeftRecords;
  readonly #closing = new AbortController();
  readonly #lost = Promise.withResolvers<PlatformError>();
  readonly #applied = new Map<WorkerProcess, number>();
  readonly #waiters = new Set<() => void>();
  #snapshot: GatewaySnapshot;
  #port = 0;
  #storing = true;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#entry = options.workerEntry ?? defaultWorkerEntry();
    this.#snapshot = options.snapshot;
    this.#collector = new MetricsCollector(options.clock);
    this.#leftRecords = new LeftRecords({
      journalFolder: this.#journalFolder,
      store: (records) => options.onOperations(toOperationBatch(records)),
      log: (message, fields) => options.logger.warn(fields, message),
    });
    this.#credit = new CreditControl({
      ...options,
      source: options.credit,
      journalFolder: this.#journalFolder,
      send: (worker, messages) => worker.send({ kind: "credit", messages }),
      log: (message, fields) => options.logger.warn(fields, message),
    });
    this.#authority = new LimitAuthority({
      table: tableOf(options.snapshot),
      send: (worker, message) => worker.send({ kind: "limits", message }),
    });
  }

  get port(): number {
    return this.#port;
  }

  get workerIds(): readonly number[] {
    return this.#slots.flatMap(({ worker }) =>
      worker.pid === undefined || worker.hasExited ? [] : [worker.pid],
    );
  }

  get failedJournalCount(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.failedJournalCount, 0);
  }

  get lost(): Promise<PlatformError> {
    return this.#lost.promise;
  }

  async open(): Promise<void> {
    const { host, port, count, clock, signal } = this.#options;
    this.#port = await probePort(host, port);
    clock.every(leaseBounds.reportMs, this.#closing.signal, () =>
      this.#authority.tick(clock.monotonicMs()),
    );
    clock.every(gatewayLimits.controlSignMs, this.#closing.signal, () => {
      for (const { worker } of this.#slots) worker.send({ kind: "alive" });
    });
    // There may be a million of them, for which no call waits.
    void this.#leftRecords.collect();
    await this.#credit.open(this.#closing.signal);
    clock.every(gatewayLimits.leftRecordsMs, this.#closing.signal, () => {
      void this.#leftRecords.collect();
    });
    const startDeadline = clock.deadline(gatewayLimits.startWaitMs, signal);
    const starts = Array.from({ length: count }, async (_, index) => {
      const slot: Slot = {
        index,
        worker: this.#fork(index),
        startedMs: clock.monotonicMs(),
        deathsInARow: 0,
        generation: 0,
        failedJournalCount: 0,
      };
      this.#slots.push(slot);
      await raceAbort(this.#start(slot), startDeadline);
    });
    await Promise.all(starts);
  }

  async updateSnapshot(snapshot: GatewaySnapshot): Promise<void> {
    if (snapshot.version > this.#snapshot.version) {
      this.#snapshot = snapshot;
      this.#authority.apply(tableOf(snapshot), this.#options.clock.monotonicMs());
    }
    for (const { worker } of this.#slots) worker.send({ kind: "snapshot", snapshot });
    const deadline = this.#options.clock.deadline(gatewayLimits.snapshotWaitMs);
    try {
      await raceAbort(this.#whenApplied(snapshot.version), deadline);
    } catch (error) {
      if (!isAbort(error)) throw error;
      // A worker that does not listen must not go on with what was revoked.
      for (const { worker } of this.#slots) {
        if ((this.#applied.get(worker) ?? 0) < snapshot.version) worker.kill();
      }
    }
  }

  async metrics(
    format: ExpositionFormat = "prometheus",
    others: readonly ShownMetric[] = [],
  ): Promise<string> {
    const ours = await this.#collector.collect(this.#slots.map(({ worker }) => worker));
    return writeExposition([...others, ...ours], format);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new DOMException("The gateway stops.", "AbortError"));
    const { clock, drainMs = gatewayLimits.drainMs } = this.#options;
    for (const { worker } of this.#slots) worker.send({ kind: "drain" });
    const exits = Promise.all(this.#slots.map(({ worker }) => worker.exited));
    try {
      await raceAbort(exits, clock.deadline(drainMs + gatewayLimits.exitWaitMs));
    } catch (error) {
      if (!isAbort(error)) throw error;
      for (const { worker } of this.#slots) worker.kill();
      await exits;
    }
  }

  get #journalFolder(): string {
    const { journalFolder, controlSocketPath } = this.#options;
    return journalFolder ?? path.join(path.dirname(controlSocketPath), "journal");
  }

  #fork(index: number): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess(this.#entry, {
      onMessage: (message) => this.#onMessage(worker, message),
      onExit: (reason) => this.#onExit(index, worker, reason),
    });
    return worker;
  }

  async #start(slot: Slot): Promise<void> {
    const { host, count, controlSocketPath, drainMs = gatewayLimits.drainMs } = this.#options;
    const folder = path.dirname(controlSocketPath);
    const snapshot = this.#snapshot;
    const listening = slot.worker.start({
      host,
      port: this.#port,
      reusePort: count > 1,
      controlSocketPath,
      index: slot.index,
      count,
      journalFolder: this.#journalFolder,
      simulatedSocketPath: path.join(folder, `simulated-${slot.index}-${slot.generation}.sock`),
      drainMs,
      credit: this.#credit.startOf(slot.index),
      snapshot,
    });
    this.#authority.join(slot.worker, this.#options.clock.monotonicMs());
    await listening;
    this.#noteApplied(slot.worker, snapshot.version);
  }

  #onMessage(worker: WorkerProcess, message: FromWorker): void {
    switch (message.kind) {
      case "operations":
        void this.#store(worker, message);
        return;
      case "snapshot-applied":
        this.#noteApplied(worker, message.version);
        return;
      case "journals-failed":
        for (const slot of this.#slots) {
          if (slot.worker === worker) slot.failedJournalCount = message.count;
        }
        return;
      case "limits":
        this.#authority.receive(worker, message.message, this.#options.clock.monotonicMs());
        return;
      case "credit":
        this.#credit.receive(worker, message.messages);
        return;
      case "metrics":
        this.#collector.onMetrics(worker, message.requestId, message.metrics);
        return;
      case "log":
        this.#options.logger[message.level](
          { ...message.fields, pid: worker.pid },
          message.message,
        );
        return;
      case "listening":
      case "start-failed":
        return;
    }
  }

  async #store(
    worker: WorkerProcess,
    { batchId, records }: Extract<FromWorker, { kind: "operations" }>,
  ): Promise<void> {
    const { logger, onOperations } = this.#options;
    try {
      await onOperations(toOperationBatch(records.map(fromOperationText)));
      if (!this.#storing) logger.info({}, "operations are stored again");
      this.#storing = true;
      worker.send({ kind: "operations-stored", batchId });
    } catch (error) {
      // Said once for each outage: the workers send the batch again and again.
      if (this.#storing)
        logger.warn({ err: error }, "operations cannot be stored; workers keep them");
      this.#storing = false;
      worker.send({ kind: "operations-refused", batchId });
    }
  }

  #onExit(index: number, worker: WorkerProcess, reason: string): void {
    this.#applied.delete(worker);
    this.#authority.lose(worker, this.#options.clock.monotonicMs());
    this.#credit.lose(worker);
    this.#collector.onExit(worker);
    this.#wake();
    const slot = this.#slots[index];
    if (this.#closing.signal.aborted || slot === undefined || slot.worker !== worker) return;
    const { clock, logger } = this.#options;
    const wasHealthy = clock.monotonicMs() - slot.startedMs > gatewayLimits.restartHealthyMs;
    slot.deathsInARow = wasHealthy ? 1 : slot.deathsInARow + 1;
    logger.error(
      { pid: worker.pid, reason, deathsInARow: slot.deathsInARow },
      "gateway worker died",
    );
    if (slot.deathsInARow > gatewayLimits.restartCountMax) {
      this.#lost.resolve(
        new PlatformError(
          "internal",
          `A gateway worker died ${slot.deathsInARow} times in a row (${reason}).`,
        ),
      );
      return;
    }
    void this.#restart(slot);
  }

  async #restart(slot: Slot): Promise<void> {
    const { clock, logger } = this.#options;
    const { restartDelayMsMin, restartDelayMsMax } = gatewayLimits;
    const delayMs = Math.min(restartDelayMsMin * 2 ** (slot.deathsInARow - 1), restartDelayMsMax);
    try {
      await clock.sleep(delayMs, this.#closing.signal);
      slot.generation += 1;
      slot.failedJournalCount = 0;
      slot.startedMs = clock.monotonicMs();
      slot.worker = this.#fork(slot.index);
      await this.#start(slot);
      this.#collector.restartCount += 1;
      logger.info({ pid: slot.worker.pid }, "gateway worker restarted");
    } catch (error) {
      // The exit of a worker that fails to start leads back here; a closing gateway restarts nothing.
      if (!isAbort(error)) logger.error({ err: error }, "gateway worker could not be restarted");
    }
  }

  #noteApplied(worker: WorkerProcess, version: number): void {
    this.#applied.set(worker, Math.max(version, this.#applied.get(worker) ?? 0));
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Resolves when every living worker has applied this version or a later one. */
  async #whenApplied(version: number): Promise<void> {
    const isApplied = (): boolean =>
      this.#slots.every(
        ({ worker }) => worker.hasExited || (this.#applied.get(worker) ?? 0) >= version,
      );
    if (isApplied()) return;
    const applied = Promise.withResolvers<void>();
    const check = (): void => {
      if (isApplied()) applied.resolve();
    };
    this.#waiters.add(check);
    try {
      await applied.promise;
    } finally {
      this.#waiters.delete(check);
    }
  }
}

function tableOf({ limits, keys }: GatewaySnapshot): LayerTable {
  return new LayerTable(limits, keys);
}
