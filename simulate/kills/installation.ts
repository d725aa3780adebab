/** The processes under test as the program sees them from outside: it starts, watches, stops and kills them. */

import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { assert, systemClock } from "@faultline/server/kernel/index.ts";
import { readServerRecord } from "@faultline/server/storage/postgres/orphan.ts";
import { locateCluster } from "@faultline/server/storage/postgres/placement.ts";
import { until } from "@faultline/testkit";
import { Client, type ClientConfig } from "pg";

import type { ControlMessage, ControlTerms, Gift } from "./control-process.ts";

/** A use in a journal of usage, as far as the program needs it. */
export interface JournalLine {
  readonly kind: "admitted" | "settled";
  readonly usageId: string;
  /** The name of the call. */
  readonly call: string;
  readonly micros: bigint;
  /** Of the worker that wrote it. */
  readonly processId: number;
}

const { signal } = new AbortController();

export class Installation {
  readonly #terms: ControlTerms;
  #control: ChildProcess | undefined;
  #port: number;
  #database: ClientConfig | undefined;
  #session: Client | undefined;
  #giftCount = 0;

  constructor(terms: ControlTerms) {
    this.#terms = terms;
    this.#port = terms.port;
  }

  get port(): number {
    return this.#port;
  }

  get controlId(): number {
    return this.#control?.pid ?? 0;
  }

  /** Starts the control process, which starts all others; resolves when it serves. */
  async start(): Promise<void> {
    const entry = fileURLToPath(new URL("./control-process.ts", import.meta.url));
    const control = fork(entry, [JSON.stringify({ ...this.#terms, port: this.#port })], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#control = control;
    const ready = Promise.withResolvers<Extract<ControlMessage, { kind: "ready" }>>();
    control.on("message", (message: ControlMessage) => {
      if (message.kind === "ready") ready.resolve(message);
    });
    control.once("exit", (code) => ready.reject(new Error(`the control process ended (${code})`)));
    control.on("error", () => {});
    const { port, database } = await ready.promise;
    this.#port = port;
    this.#database = database;
  }

  /** Asks it to end as it does when an operator stops it. */
  async stop(): Promise<void> {
    const control = this.#control;
    if (control === undefined || control.exitCode !== null || control.signalCode !== null) return;
    control.kill("SIGTERM");
    await once(control, "exit");
    await this.#session?.end().catch(() => {});
    this.#session = undefined;
  }

  /** Kills the control process, and waits until its workers have ended too: they finish what they have. */
  async killControl(): Promise<void> {
    const control = this.#control;
    assert(control !== undefined, "a control process was started");
    const workers = await this.workerIds();
    const ended = once(control, "exit");
    control.kill("SIGKILL");
    await ended;
    for (const worker of workers) resume(worker);
    await until(async () => (await this.workerIds()).every((id) => !workers.includes(id)));
  }

  /** Kills whatever there is, at once. */
  async killAll(): Promise<void> {
    const control = this.#control;
    assert(control !== undefined, "a control process was started");
    const workers = await this.workerIds();
    const postgres = await this.postgresId();
    const hasEnded = control.exitCode !== null || control.signalCode !== null;
    const ended = hasEnded ? undefined : once(control, "exit");
    for (const id of [control.pid, postgres, ...workers]) if (id !== undefined) kill(id);
    await ended;
  }

  async killPostgres(): Promise<void> {
    const id = await this.postgresId();
    assert(id !== undefined, "PostgreSQL runs when it is killed");
    kill(id);
    this.#session = undefined;
  }

  async postgresId(): Promise<number | undefined> {
    const record = await readServerRecord(await locateCluster(this.#terms.dataFolder));
    return record?.running === true ? record.pid : undefined;
  }

  /** Workers that run, by the journals that they write. */
  async workerIds(): Promise<number[]> {
    const { journals } = await this.#readJournals();
    const ids = new Set(journals.map(({ processId }) => processId));
    return [...ids].filter((id) => isRunning(id));
  }

  /** The names of all files of usage, which rotation and removal change. */
  async journalFiles(): Promise<string[]> {
    return (await readdir(this.#usageFolder).catch((): string[] => [])).toSorted();
  }

  /** The worker that wrote a file, when it still runs. */
  async writerOf(file: string): Promise<number | undefined> {
    const { journals } = await this.#readJournals();
    const id = journals.find(({ name }) => name === file)?.processId;
    return id !== undefined && isRunning(id) ? id : undefined;
  }

  /** What stands in all journals of usage that there are. */
  async journalLines(): Promise<JournalLine[]> {
    return (await this.#readJournals()).lines;
  }

  /** Asks the database, again where it is away. */
  async ask<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    for (;;) {
      try {
        const session = await this.session();
        return (await session.query<Row>(text, [...values])).rows;
      } catch {
        this.#session?.end().catch(() => {});
        this.#session = undefined;
        await systemClock.sleep(50, signal);
      }
    }
  }

  /** A session of the superuser, which stays open. */
  async session(): Promise<Client> {
    this.#session ??= await this.openSession();
    return this.#session;
  }

  /** Another session of the superuser. */
  async openSession(): Promise<Client> {
    const client = new Client(this.#database);
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  /** Opens the account of a tenant where there is none, and grants credit; tells again until that is acknowledged. */
  async give(tenantId: string, amountMicros: bigint): Promise<void> {
    this.#giftCount += 1;
    const id = `gift-${this.#giftCount}`;
    const gift: Gift = { id, tenantId, amountMicros: String(amountMicros) };
    for (;;) {
      const control = this.#control;
      assert(control !== undefined, "a control process was started");
      const answered = Promise.withResolvers<string | undefined>();
      const listener = (message: ControlMessage): void => {
        if (message.kind === "given" && message.id === id) answered.resolve(message.error);
      };
      control.on("message", listener);
      control.send(gift);
      const error = await answered.promise;
      control.off("message", listener);
      if (error === undefined) return;
      await systemClock.sleep(50, signal);
    }
  }

  /** Whether a later release's migration is at work in the database. */
  async isMigrating(): Promise<boolean> {
    const record = await readServerRecord(await locateCluster(this.#terms.dataFolder));
    if (record?.running !== true) return false;
    const client = new Client({ ...this.#database, host: record.socketFolder });
    client.on("error", () => {});
    try {
      await client.connect();
      const { rowCount } = await client.query(
        "select from pg_stat_activity where wait_event = 'PgSleep' and state = 'active'",
      );
      return rowCount !== 0;
    } catch {
      // It starts, or ends.
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Begins what a later release does to this data folder at its start. Nothing else may run on it. */
  startMigration(name: string): { readonly child: ChildProcess; readonly ended: Promise<unknown> } {
    const entry = fileURLToPath(new URL("./migrating-process.ts", import.meta.url));
    const child = spawn(process.execPath, [entry, this.#terms.dataFolder, name], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    return { child, ended: once(child, "exit") };
  }

  get #usageFolder(): string {
    return path.join(this.#terms.journalFolder, "usage");
  }

  async #readJournals() {
    const journals: { name: string; processId: number }[] = [];
    const lines: JournalLine[] = [];
    for (const name of await this.journalFiles()) {
      const text = await readFile(path.join(this.#usageFolder, name), "utf8").catch(() => "");
      const [heading = "", ...rest] = text.split("\n");
      const processId = Number(/ (\d+):\d+ [0-9a-f]+$/.exec(heading)?.[1] ?? 0);
      if (processId === 0) continue;
      journals.push({ name, processId });
      for (const line of rest.slice(0, -1)) lines.push(...readTurn(line, processId));
    }
    return { journals, lines };
  }
}

/** What stands in one line of a file: all uses that began or ended in one turn of a worker. */
function readTurn(line: string, processId: number): JournalLine[] {
  // Written by the product; a damaged line would end the program.
  const sections = JSON.parse(line.slice(line.indexOf(" ") + 1)) as readonly {
    readonly terms: { readonly attribution: { readonly userId?: string } };
    readonly admitted: readonly Row[];
    readonly settled: readonly Row[];
  }[];
  return sections.flatMap(({ terms, ...rows }) =>
    (["admitted", "settled"] as const).flatMap((kind) =>
      rows[kind].map(([usageId, micros]): JournalLine => {
        const call = terms.attribution.userId ?? "";
        return { kind, usageId, call, micros: BigInt(micros), processId };
      }),
    ),
  );
}

/** A use in a line; what is known of its tokens stands behind. */
type Row = readonly [usageId: string, micros: number, ...tokens: number[]];

/** Ends a process without a warning; one that has ended is no failure. */
export function kill(id: number): void {
  send(id, "SIGKILL");
}

/** Stops a process where it stands. */
export function halt(id: number): void {
  send(id, "SIGSTOP");
}

/** Lets a stopped process go on. */
export function resume(id: number): void {
  send(id, "SIGCONT");
}

function send(id: number, what: NodeJS.Signals): void {
  try {
    process.kill(id, what);
  } catch {
    // It has ended.
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
