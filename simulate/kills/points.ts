/**
 * The points at which processes are killed. Each is reached from outside: the provider has seen a call and holds it, a journal has
 * grown, a session of the database waits in a statement because another one holds a lock. Then the victim is killed.
 */

import type { Socket } from "node:net";

import { unreachable } from "@faultline/server/kernel/index.ts";
import { until } from "@faultline/testkit";
import type { Client } from "pg";

import { beginCall, type Caller, type CallTerms, makeCall } from "./clients.ts";
import { halt, type Installation, kill, resume } from "./installation.ts";
import type { Witness } from "./witness.ts";

/** Who is killed: the worker that carries the call, the control process, PostgreSQL, or all of them at once. */
export type Victim = "worker" | "control" | "postgres" | "all";

/** The points, and who can be killed there. */
export const points = {
  "after hold": ["worker", "control", "postgres", "all"],
  "before first byte": ["worker", "control", "postgres"],
  "mid-stream": ["worker", "control", "postgres"],
  "settled, not acknowledged": ["worker", "control", "postgres"],
  "during shipping": ["worker", "control", "postgres", "all"],
  migration: ["postgres", "all"],
  compaction: ["worker", "control", "all"],
} as const satisfies Readonly<Record<string, readonly Victim[]>>;

export type PointName = keyof typeof points;

export interface PointParts {
  readonly installation: Installation;
  readonly witness: Witness;
  readonly caller: Caller;
  readonly tenantId: string;
  /** Names the call that is killed at. */
  readonly call: string;
  /** How many calls of the other callers were answered whole until now. */
  readonly answeredCount: () => number;
  /** Notes what stands in the journals, before and after the kill. */
  readonly harvest: () => Promise<void>;
}

/** A call that has come to a point. */
interface Reached {
  /** The worker that carries it. */
  readonly worker: number;
  /** Lets go of whatever was held, once the victim is dead. */
  readonly letGo: () => Promise<void>;
}

const nothing = async (): Promise<void> => {};

/** Brings a call to a point, and kills there. Resolves when the victim is dead and nothing is held any more. */
export async function killAt(point: PointName, victim: Victim, parts: PointParts): Promise<void> {
  if (point === "migration") {
    await killMigration(victim, parts);
    return;
  }
  const reached = await reach(point, parts);
  await parts.harvest();
  await killVictim(victim, reached.worker, parts);
  await reached.letGo();
  resume(reached.worker);
  await parts.harvest();
}

async function killVictim(
  victim: Victim,
  worker: number,
  { installation, witness }: PointParts,
): Promise<void> {
  switch (victim) {
    case "worker":
      kill(worker);
      return;
    case "postgres":
      await installation.killPostgres();
      return;
    case "control": {
      const killed = installation.killControl();
      // Its workers end once their calls have.
      witness.release();
      await killed;
      return;
    }
    case "all":
      await installation.killAll();
      return;
    default:
      unreachable(victim);
  }
}

async function reach(point: Exclude<PointName, "migration">, parts: PointParts): Promise<Reached> {
  switch (point) {
    case "after hold":
      return reachHold(parts);
    case "before first byte":
      return reachProvider(parts);
    case "mid-stream":
      return reachStream(parts);
    case "settled, not acknowledged":
      return reachSettled(parts);
    case "during shipping":
      return reachShipping(parts);
    case "compaction":
      return reachCompaction(parts);
    default:
      return unreachable(point);
  }
}

/** Held for and written down; its provider takes the connection and reads nothing. */
async function reachHold(parts: PointParts): Promise<Reached> {
  const terms = { manner: "plain", model: "silent" } as const;
  const socket = await beginUntil(
    parts,
    terms,
    async () => (await findWorker(parts)) !== undefined,
  );
  const worker = await workerOf(parts, "admitted");
  parts.witness.noteUnread(parts.call);
  return { worker, letGo: async () => void socket.destroy() };
}

/** The provider has the request and has said nothing. */
async function reachProvider(parts: PointParts): Promise<Reached> {
  const { witness, call } = parts;
  await beginUntil(parts, { manner: "wait-first" }, () => witness.hasSeen(call));
  const worker = await workerOf(parts, "admitted");
  return { worker, letGo: async () => witness.release() };
}

/** The caller has the first words of a stream, and the provider has more to say. */
async function reachStream(parts: PointParts): Promise<Reached> {
  const { witness } = parts;
  const terms = { manner: "wait-middle", isStream: true } as const;
  await beginUntil(parts, terms, (text) => text.includes("word"));
  const worker = await workerOf(parts, "admitted");
  return { worker, letGo: async () => witness.release() };
}

/** Begins the call until it has come to its point: while nothing can be lent, it may be refused, and is begun again. */
async function beginUntil(
  { caller, call }: PointParts,
  terms: Omit<CallTerms, "call">,
  hasCome: (text: string) => boolean | Promise<boolean>,
): Promise<Socket> {
  for (;;) {
    const socket = await beginCall(caller, { call, ...terms });
    let text = "";
    let isOver = false;
    socket.on("data", (part: Buffer) => (text += part.toString()));
    socket.once("close", () => (isOver = true));
    let isThere = false;
    await until(async () => {
      isThere = await hasCome(text);
      return isThere || isOver;
    });
    if (isThere) return socket;
  }
}

/** The ledger has committed what a call cost, and its worker, which stands still, has not heard of it. */
async function reachSettled(parts: PointParts): Promise<Reached> {
  const { installation } = parts;
  const { lock, worker } = await callWhole(parts);
  await lock.whenWaitedFor();
  halt(worker);
  await lock.release();
  const lines = await installation.journalLines();
  const usageId = lines.find(({ call }) => call === parts.call)?.usageId ?? "";
  let turn = 0;
  await until(async () => {
    const rows = await installation.ask("select from ledger_use where id = $1", [usageId]);
    if (rows.length > 0) return true;
    // It was stopped before it had told of it: it gets another moment.
    turn += 1;
    if (turn % 10 === 0) resume(worker);
    if (turn % 10 === 6) halt(worker);
    return false;
  });
  halt(worker);
  return { worker, letGo: nothing };
}

/** What a call cost is on its way: the statement that writes it waits in the database. */
async function reachShipping(parts: PointParts): Promise<Reached> {
  const { lock, worker } = await callWhole(parts);
  await lock.whenWaitedFor();
  return { worker, letGo: async () => lock.release() };
}

/** A worker begins another file of its journal of usage, or removes one that is done with. */
async function reachCompaction({ installation }: PointParts): Promise<Reached> {
  const before = new Set(await installation.journalFiles());
  let worker: number | undefined;
  await until(async () => {
    for (const file of await installation.journalFiles()) {
      if (before.has(file) || file.endsWith(".000000.usage")) continue;
      worker = await installation.writerOf(file);
      if (worker !== undefined) return true;
    }
    return false;
  });
  return { worker: worker ?? 0, letGo: nothing };
}

/** A later release begins on the data folder that a kill has left, and is killed in the middle of its migration. */
async function killMigration(victim: Victim, parts: PointParts): Promise<void> {
  const { installation, call, harvest } = parts;
  await harvest();
  await installation.killAll();
  await harvest();
  const name = `9999-${call}.sql`;
  const first = installation.startMigration(name);
  await until(() => installation.isMigrating());
  if (victim === "all") first.child.kill("SIGKILL");
  await installation.killPostgres();
  await first.ended;
  // It is begun again, and done once.
  const second = installation.startMigration(name);
  const [code] = (await second.ended) as [number | null];
  if (code !== 0) throw new Error(`the migration ended with ${code}`);
}

/** A session that keeps the ledger's writer from writing. */
async function lockLedger({ installation, tenantId }: PointParts) {
  let session: Client | undefined = await installation.openSession();
  await session.query("begin");
  await session.query("select from ledger_writer where tenant_id = $1 for update", [tenantId]);
  return {
    /** Resolves when a batch waits for it. */
    whenWaitedFor: () =>
      until(async () => {
        const rows = await installation.ask(
          "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%ledger_apply%'",
        );
        return rows.length > 0;
      }),
    release: async (): Promise<void> => {
      await session?.end().catch(() => {});
      session = undefined;
    },
  };
}

/** Refused calls after which the ledger is let go for a moment. */
const triesMax = 10;

/** Makes the call while the ledger cannot write, and gives the worker that has written down what it cost. */
async function callWhole(parts: PointParts) {
  for (;;) {
    const lock = await lockLedger(parts);
    for (let turn = 0; turn < triesMax; turn += 1) {
      // A call that is refused has no name in any journal.
      const status = await makeCall(parts.caller, { call: parts.call, manner: "plain" });
      if (status === 200) return { lock, worker: await workerOf(parts, "settled") };
    }
    // No worker has any credit left, and nobody lends while the lock stands.
    await lock.release();
    const before = parts.answeredCount();
    await until(async () => parts.answeredCount() > before);
  }
}

async function workerOf(parts: PointParts, kind: "admitted" | "settled"): Promise<number> {
  let worker: number | undefined;
  await until(async () => {
    worker = await findWorker(parts, kind);
    return worker !== undefined;
  });
  return worker ?? 0;
}

/** Who has written down that the call has come so far, if anybody has. */
async function findWorker(
  { installation, call }: PointParts,
  kind: "admitted" | "settled" = "admitted",
): Promise<number | undefined> {
  const lines = await installation.journalLines();
  return lines.find((line) => line.call === call && line.kind === kind)?.processId;
}
