/** Our own PostgreSQL server: started on a Unix socket, watched, restarted with back-off, shut down cleanly. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { PlatformError } from "@faultline/protocol";
import { Client } from "pg";
import type { Logger } from "pino";

import { assert, type Clock } from "#kernel/index.ts";

import { openBinaries } from "./binaries.ts";
import { type Cluster, openCluster, serverProcessOptions } from "./cluster.ts";
import {
  embeddedConfigs,
  embeddedDatabaseName,
  embeddedSuperuser,
  type DatabaseRole,
  type PostgresConnection,
} from "./connection.ts";
import { readServerRecord, stopOrphan } from "./orphan.ts";
import { makeSocketFolder, placePostgres, type Placement } from "./placement.ts";
import { isDiskFull, RestartPace, restartCountMax } from "./restart-pace.ts";
import { ServerLog } from "./server-log.ts";
import { serverArguments } from "./server-settings.ts";

export interface EmbeddedOptions {
  /** Locked by the caller for as long as the server runs. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the opening, not the server. */
  readonly signal: AbortSignal;
}

/** Crash recovery replays the log since the last checkpoint, which is bounded, but slow on a slow disk. */
const readyWaitMsMax = 10 * 60_000;
const readyPollMs = 15;
const fastShutdownMsMax = 30_000;
const immediateShutdownMsMax = 5_000;

/** An embedded server. Disposal shuts it down and waits for its end. */
export class EmbeddedPostgres implements PostgresConnection {
  readonly kind = "embedded";
  readonly lost: Promise<PlatformError>;
  readonly #options: EmbeddedOptions;
  readonly #cluster: Cluster;
  readonly #socketFolder: string;
  readonly #log: ServerLog;
  readonly #resolveLost: (reason: PlatformError) => void;
  readonly #closing = new AbortController();
  readonly #configs: ReturnType<typeof embeddedConfigs>;
  #server: ChildProcess | undefined;
  #watching: Promise<void> = Promise.resolve();

  private constructor(parts: {
    options: EmbeddedOptions;
    cluster: Cluster;
    socketFolder: string;
    log: ServerLog;
  }) {
    this.#options = parts.options;
    this.#cluster = parts.cluster;
    this.#socketFolder = parts.socketFolder;
    this.#log = parts.log;
    this.#configs = embeddedConfigs({
      socketFolder: parts.socketFolder,
      database: embeddedDatabaseName,
      superuser: embeddedSuperuser,
    });
    const { promise, resolve: resolveLost } = Promise.withResolvers<PlatformError>();
    this.lost = promise;
    this.#resolveLost = resolveLost;
  }

  static async open(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
    options.signal.throwIfAborted();
    const placement: Placement = await placePostgres(options.dataFolder);
    const { runAs, cacheFolder, clusterFolder } = placement;
    const binaries = await openBinaries({ runAs, cacheFolder });
    const cluster = { folder: clusterFolder, binaries, runAs };
    await stopOrphan({ ...options, clusterFolder });
    await openCluster(cluster, options.signal);

    await using stack = new AsyncDisposableStack();
    const log = stack.use(ServerLog.open(placement.logPath));
    const socketFolder = await makeSocketFolder(options.dataFolder, runAs);
    stack.defer(async () => await rm(socketFolder, { recursive: true, force: true }));
    const postgres = new EmbeddedPostgres({ options, cluster, socketFolder, log });
    stack.defer(async () => await postgres.#stop());
    // A process that ends without disposal, by a fault that nobody caught, leaves no server behind either: it shuts
    // itself down.
    const stopAlone = (): void => void postgres.#server?.kill("SIGINT");
    process.once("exit", stopAlone);
    stack.defer(() => void process.off("exit", stopAlone));
    await postgres.#startFirst();
    await postgres.#makeDatabase();
    postgres.#watching = postgres.#watch();
    const opened = stack.move();
    postgres.#dispose = async () => await opened.disposeAsync();
    return postgres;
  }

  get version(): string {
    // The package of PostgreSQL 18.4 is 18.4.0.
    return this.#cluster.binaries.packageVersion.split(".").slice(0, 2).join(".");
  }

  get description(): string {
    return `embedded PostgreSQL ${this.version} in ${this.#cluster.folder}, socket in ${this.#socketFolder}`;
  }

  /** The folder of the server's socket, for processes that share the server. */
  get socketFolder(): string {
    return this.#socketFolder;
  }

  /** The pid of the running server; `undefined` while it is being started again. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  clientConfig(role: DatabaseRole): ReturnType<PostgresConnection["clientConfig"]> {
    return this.#configs.clientConfig(role);
  }

  setUpConfig(): ReturnType<PostgresConnection["setUpConfig"]> {
    return this.#configs.setUpConfig();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#watching;
    await this.#dispose();
  }

  #dispose: () => Promise<void> = async () => {};

  /** Starts once more when a server stands in the way that an owner spawned just before it was killed. */
  async #startFirst(): Promise<void> {
    const clusterFolder = this.#cluster.folder;
    try {
      await this.#start(this.#options.signal);
    } catch (error) {
      // Its pid file was not there yet when we looked for orphans.
      const record = await readServerRecord(clusterFolder);
      if (record?.running !== true || record.pid === this.pid) throw error;
      await stopOrphan({ ...this.#options, clusterFolder });
      await this.#start(this.#options.signal);
    }
  }

  /** Starts a server and resolves when it answers. */
  async #start(signal: AbortSignal): Promise<void> {
    const { folder, binaries, runAs } = this.#cluster;
    const server = spawn(
      join(binaries.folder, "bin", "postgres"),
      serverArguments(folder, this.#socketFolder),
      {
        ...serverProcessOptions(runAs),
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
        // A group of its own: Ctrl-C in a terminal reaches us alone, and we decide when the server stops.
        detached: true,
      },
    );
    this.#server = server;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    server.once("error", (error) => failed.reject(this.#startFailure(String(error), error)));
    server.once("exit", (code, by) => {
      failed.reject(this.#startFailure(`it ended with ${by ?? `exit code ${code}`}`));
    });
    this.#log.follow(server.stderr);
    await Promise.race([this.#untilReady(server, signal), failed.promise]);
  }

  #startFailure(reason: string, cause?: unknown): PlatformError {
    return new PlatformError(
      "database_unavailable",
      `The embedded PostgreSQL did not start: ${reason}. ${this.#log.tail().slice(-2_000)}`,
      { where: this.#cluster.folder, hint: "Its log lies beside its data in server.log.", cause },
    );
  }

  async #untilReady(server: ChildProcess, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const giveUpAt = clock.monotonicMs() + readyWaitMsMax;
    while (server.exitCode === null && server.signalCode === null) {
      if (await this.#answers()) return;
      if (clock.monotonicMs() > giveUpAt) {
        throw this.#startFailure(`it was not ready after ${readyWaitMsMax} ms`);
      }
      await clock.sleep(readyPollMs, signal);
    }
  }

  async #answers(): Promise<boolean> {
    const client = this.#superuserClient();
    try {
      await client.connect();
      return true;
    } catch {
      // No socket yet, or recovery is still running; the caller bounds how often we ask.
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }

  #superuserClient(): Client {
    const client = new Client({ ...this.#configs.setUpConfig(), database: "postgres" });
    client.on("error", () => {});
    return client;
  }

  async #makeDatabase(): Promise<void> {
    const client = this.#superuserClient();
    await client.connect();
    try {
      const found = await client.query("select 1 from pg_database where datname = $1", [
        embeddedDatabaseName,
      ]);
      if (found.rowCount === 0) await client.query(`create database ${embeddedDatabaseName}`);
    } finally {
      await client.end();
    }
  }

  /** Starts the server again whenever it ends on its own, with growing pauses, until it gives up. */
  async #watch(): Promise<void> {
    const { clock, logger } = this.#options;
    const closing = this.#closing.signal;
    const pace = new RestartPace(clock, async () => await isDiskFull(this.#cluster.folder));
    while (!closing.aborted) {
      await this.#untilExitOrClosing();
      if (closing.aborted) return;
      pace.noteEnd();
      logger.error({ tail: this.#log.tail() }, "the embedded PostgreSQL ended unexpectedly");
      for (;;) {
        const delayMs = await pace.nextDelayMs();
        if (delayMs === undefined) {
          this.#resolveLost(this.#startFailure(`it ended ${restartCountMax} times in a row`));
          return;
        }
        try {
          await clock.sleep(delayMs, closing);
          // A server that started and never answered must not stand in the way of the next, nor may
          // sessions that did not notice the end of the last.
          await this.#stop();
          await stopOrphan({
            ...this.#options,
            signal: closing,
            clusterFolder: this.#cluster.folder,
            ownSocketFolder: this.#socketFolder,
          });
          await this.#start(closing);
          pace.noteStart();
          logger.info("the embedded PostgreSQL runs again");
          break;
        } catch (error) {
          if (closing.aborted) return;
          logger.error({ err: error }, "restarting PostgreSQL failed");
        }
      }
    }
  }

  async #untilExitOrClosing(): Promise<void> {
    const server = this.#server;
    assert(server !== undefined, "a server is watched after it was started");
    if (server.exitCode !== null || server.signalCode !== null) return;
    await once(server, "exit", { signal: this.#closing.signal }).catch(() => {});
  }

  /** Fast shutdown ends sessions and writes a checkpoint; immediate leaves the rest to recovery. */
  async #stop(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const { clock } = this.#options;
    const exited = once(server, "exit");
    for (const [by, waitMsMax] of [
      ["SIGINT", fastShutdownMsMax],
      ["SIGQUIT", immediateShutdownMsMax],
    ] as const) {
      server.kill(by);
      const waiting = new AbortController();
      const late = clock.sleep(waitMsMax, waiting.signal).then(
        () => "late" as const,
        () => "late" as const,
      );
      const outcome = await Promise.race([exited, late]);
      waiting.abort();
      if (outcome !== "late") return;
    }
    server.kill("SIGKILL");
    await exited;
  }
}
