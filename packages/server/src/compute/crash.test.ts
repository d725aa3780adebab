/** Reservations when their process, PostgreSQL, or both are killed while they are made, run and end. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { TenantId } from "@faultline/protocol";
import { openTemporaryFolder, until } from "@faultline/testkit";
import { Client } from "pg";
import { pino } from "pino";
import { expect, test } from "vitest";

import { assert, systemClock } from "#kernel/index.ts";
import { openPostgres, openStore } from "#storage/index.ts";

// The test kills the server by its record, as nobody else does.
import { readServerRecord } from "../storage/postgres/orphan.ts";
import { locateCluster } from "../storage/postgres/placement.ts";

const { signal } = new AbortController();
const base = { clock: systemClock, logger: pino({ level: "silent" }), signal };
const entry = fileURLToPath(new URL("./test/reserving-process.ts", import.meta.url));
// The test makes it under this name.
const tenantId = "crash" as TenantId;
const grantedMicros = 10_000_000n;

test("reservations are held for once, charged once and given back once, whoever is killed", async () => {
  await using folder = await openTemporaryFolder();
  await using postgres = await openPostgres({ ...base, dataFolder: folder.path });
  await using store = await openStore({ ...base, postgres });
  await store.system(signal, (writer) =>
    writer.insertInto("tenant").values({ id: tenantId }).execute(),
  );
  const record = await readServerRecord(await locateCluster(folder.path));
  assert(record !== undefined, "the server runs");
  const killServer = async (): Promise<void> => {
    const running = await readServerRecord(await locateCluster(folder.path));
    process.kill(running?.pid ?? 0, "SIGKILL");
  };

  const told = new Map<string, string>();
  const start = (mode: "work" | "end"): ChildProcess => {
    const child = spawn(process.execPath, [
      entry,
      record.socketFolder,
      mode,
      String(grantedMicros),
    ]);
    child.stderr.resume();
    let rest = "";
    child.stdout.on("data", (part: Buffer) => {
      const lines = (rest + part.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [id = "", what = ""] = line.split(" ");
        told.set(id, what);
      }
    });
    return child;
  };
  for (const victim of ["process", "server", "both"]) {
    const child = start("work");
    const closed = once(child, "close");
    const enough = told.size + 10;
    await until(() => told.size >= enough);
    if (victim !== "process") await killServer();
    // One that goes on without its server has to find its way back.
    if (victim === "server") await until(() => told.size >= enough + 5);
    child.kill("SIGKILL");
    await closed;
  }
  // The last process ends what the others have left, and says so with its exit.
  const [code] = (await once(start("end"), "close")) as [number | null];
  expect(code).toBe(0);

  const client = new Client(postgres.setUpConfig());
  client.on("error", () => {});
  await client.connect();
  const ask = async (text: string) => (await client.query<Record<string, string>>(text)).rows;
  const stored = new Map(
    (await ask("select id, record -> 'stage' ->> 'kind' as stage from compute_reservation")).map(
      (row) => [row["id"], row["stage"]],
    ),
  );
  expect([...told.keys()].filter((id) => stored.get(id) !== "ended")).toEqual([]);
  expect([...stored.values()].filter((stage) => stage !== "ended")).toEqual([]);
  expect(await ask("select id from ledger_hold where state = 'open'")).toEqual([]);
  const balances = new Map(
    (await ask("select id, balance_micros::text as micros from ledger_account")).map((row) => [
      row["id"],
      BigInt(row["micros"] ?? 0),
    ]),
  );
  const usedMicros = balances.get("usage:compute/USD") ?? 0n;
  expect(usedMicros).toBeGreaterThan(0n);
  expect(balances.get("holds/USD") ?? 0n).toBe(0n);
  expect(balances.get("debt/USD") ?? 0n).toBe(0n);
  expect(balances.get("credit/USD")).toBe(grantedMicros - usedMicros);
  // What was used of a reservation never passes what was held for it, and work that was told to be over has paid.
  const uses = await ask(`select hold_id as id, sum(amount_micros)::text as used,
      (select max(amount_micros)::text from ledger_transfer held
        where held.hold_id = ledger_use.hold_id and reason = 'held') as held
    from ledger_use group by hold_id`);
  expect(uses.filter((row) => BigInt(row["used"] ?? 0) > BigInt(row["held"] ?? 0))).toEqual([]);
  const paid = new Set(uses.map((row) => row["id"]?.split("/").at(-1)));
  const done = [...told].filter(([, what]) => what === "completed").map(([id]) => id);
  expect(done.length).toBeGreaterThan(0);
  expect(done.filter((id) => !paid.has(id))).toEqual([]);
  await client.end();
});
