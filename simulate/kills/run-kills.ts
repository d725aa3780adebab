/** All rounds of kills on one installation, under load from two tenants; in the end everything stops, and the books are held against what was served. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { systemClock, systemRandom } from "@faultline/server/kernel/index.ts";
import { formatKey, type TenantId } from "@faultline/protocol";
import { freePort, until } from "@faultline/testkit";

import { Chance } from "../chance.ts";
import { type CallCounts, type Caller, keepCalling, makeCall } from "./clients.ts";
import { halt, Installation, kill } from "./installation.ts";
import { killAt, type PointName, points, type Victim } from "./points.ts";
import { auditBooks, auditCharges, type ChargeCounts, Notes, wholeMicros } from "./verdict.ts";
import { Witness } from "./witness.ts";

export interface Round {
  readonly point: PointName;
  readonly victim: Victim;
}

/** One line of the table. */
export interface RoundResult extends Round {
  readonly number: number;
  /** Requests that the provider had not ended when the victim died. */
  readonly openCount: number;
  /** From the kill to the next call that was answered. */
  readonly backMs: number;
  /** What is wrong with the books after it. */
  readonly broken: readonly string[];
}

export interface KillsResult {
  readonly rounds: readonly RoundResult[];
  readonly calls: CallCounts;
  readonly charges: ChargeCounts;
  /** What is wrong in the end. */
  readonly broken: readonly string[];
}

export interface KillsTerms {
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly workerCount: number;
  readonly clientCount: number;
  readonly onRound: (result: RoundResult) => void;
}

/** One has more than it needs; the other gets a little each round and is refused when that is used up. */
const rich = "rich";
const scarce = "scarce";
const richMicros = wholeMicros * 1_000_000n;
const scarceMicros = wholeMicros * 25n;
const { signal: never } = new AbortController();

/** Every point with each of its victims, as often as there are rounds, in an order that the seed gives. */
export function planRounds(count: number, seed: number): Round[] {
  const chance = new Chance(`kills ${seed}`);
  const kinds = Object.entries(points).flatMap(([point, victims]) =>
    // The keys of the table are the names of its points.
    victims.map((victim) => ({ point: point as PointName, victim })),
  );
  const planned: Round[] = [];
  while (planned.length < count) {
    const left = [...kinds];
    while (left.length > 0 && planned.length < count)
      planned.push(...left.splice(chance.between(0, left.length - 1), 1));
  }
  return planned;
}

/** Runs all rounds. */
export async function runKills(terms: KillsTerms): Promise<KillsResult> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "faultline-kills-"));
  // PostgreSQL runs under another user when this runs as root.
  await chmod(folder, 0o711);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const witness = stack.use(await Witness.open());
  const silentPort = await openSilentProvider(stack);
  const keys = [rich, scarce].map((tenantId) => ({
    tenantId,
    // These are names as tenants have.
    secret: formatKey(tenantId as TenantId, (bound) => systemRandom.integer(bound)),
  }));
  const installation = new Installation({
    dataFolder: path.join(folder, "data"),
    journalFolder: path.join(folder, "journal"),
    port: await freePort(),
    workerCount: terms.workerCount,
    providerPort: witness.port,
    silentPort,
    keys,
  });
  stack.defer(() => installation.killAll().catch(() => {}));
  await installation.start();
  const run = new KillsRun(terms, { installation, witness, keys });
  return await run.run();
}

interface RunParts {
  readonly installation: Installation;
  readonly witness: Witness;
  readonly keys: readonly { readonly tenantId: string; readonly secret: string }[];
}

class KillsRun {
  readonly #terms: KillsTerms;
  readonly #parts: RunParts;
  readonly #notes = new Notes();
  readonly #granted = new Map<string, bigint>();
  readonly #answered = new Set<string>();
  readonly #counts: CallCounts = { answered: 0, refused: 0, unavailable: 0, broken: 0, left: 0 };
  #probeCount = 0;

  constructor(terms: KillsTerms, parts: RunParts) {
    this.#terms = terms;
    this.#parts = parts;
  }

  async run(): Promise<KillsResult> {
    const { installation, witness } = this.#parts;
    await this.#give(rich, richMicros);
    await this.#give(scarce, scarceMicros);
    const over = new AbortController();
    const clients = this.#startClients(over.signal);
    const rounds: RoundResult[] = [];
    for (const [index, round] of this.#terms.rounds.entries()) {
      const result = await this.#round(index + 1, round);
      rounds.push(result);
      this.#terms.onRound(result);
    }
    over.abort();
    witness.release();
    await Promise.all(clients);
    const broken = await this.#settleAll();
    const { served } = witness;
    const charges = await auditCharges(installation, this.#notes, {
      served,
      answered: this.#answered,
    });
    await installation.stop();
    return {
      rounds,
      calls: this.#counts,
      charges: charges.counts,
      broken: [...broken, ...charges.broken],
    };
  }

  async #round(number: number, { point, victim }: Round): Promise<RoundResult> {
    const { installation, witness } = this.#parts;
    const call = `probe-${number}`;
    await killAt(point, victim, {
      installation,
      witness,
      caller: this.#caller(rich),
      tenantId: rich,
      call,
      answeredCount: () => this.#counts.answered,
      harvest: () => this.#harvest(),
    });
    const killedMs = systemClock.monotonicMs();
    const openCount = witness.served.filter(({ end }) => end === "open").length;
    const isGone = victim === "control" || victim === "all" || point === "migration";
    if (isGone) await installation.start();
    await this.#untilServed();
    const backMs = systemClock.monotonicMs() - killedMs;
    await this.#give(scarce, scarceMicros);
    await this.#untilCharged(call);
    const broken = await auditBooks(installation, this.#granted);
    return { number, point, victim, openCount, backMs, broken };
  }

  #startClients(signal: AbortSignal): Promise<void>[] {
    const chance = new Chance(`clients ${this.#terms.seed}`);
    return Array.from({ length: this.#terms.clientCount }, (_, index) => {
      const tenantId = index % 2 === 0 ? rich : scarce;
      const name = `${tenantId}${index}`;
      const parts = { name, chance: chance.fork(name), signal };
      const notes = { counts: this.#counts, answered: this.#answered };
      return keepCalling(this.#caller(tenantId), { ...parts, ...notes });
    });
  }

  #caller(tenantId: string): Caller {
    const { keys, installation } = this.#parts;
    const secret = keys.find((key) => key.tenantId === tenantId)?.secret ?? "";
    return { port: () => installation.port, secret };
  }

  async #give(tenantId: string, micros: bigint): Promise<void> {
    await this.#parts.installation.give(tenantId, micros);
    this.#granted.set(tenantId, (this.#granted.get(tenantId) ?? 0n) + micros);
  }

  async #harvest(): Promise<void> {
    this.#notes.add(await this.#parts.installation.journalLines());
  }

  async #untilServed(): Promise<void> {
    await until(async () => {
      this.#probeCount += 1;
      const call = `back-${this.#probeCount}`;
      const status = await makeCall(this.#caller(rich), { call, manner: "plain" });
      if (status === 200) this.#answered.add(call);
      return status === 200;
    });
  }

  /** What the probe cost comes into the books: from its worker, or from what that has left. */
  async #untilCharged(call: string): Promise<void> {
    const { installation } = this.#parts;
    const ids = [...this.#notes.attempts].filter(([, noted]) => noted.call === call);
    for (const [usageId] of ids)
      await until(async () => {
        const rows = await installation.ask("select from ledger_use where id = $1", [usageId]);
        return rows.length > 0;
      });
  }

  /** Stops the gateway, which returns what it was lent, and starts it again, which recovers what is left. */
  async #settleAll(): Promise<string[]> {
    const { installation } = this.#parts;
    await this.#harvest();
    await installation.stop();
    await installation.start();
    await until(async () => {
      const open = await installation.ask("select from ledger_hold where state = 'open' limit 1");
      return open.length === 0;
    });
    const broken = await auditBooks(installation, this.#granted);
    const left = await installation.ask<{ id: string }>(
      "select id from ledger_account where id like 'holds/%' and balance_micros <> 0",
    );
    return [...broken, ...left.map(({ id }) => `something is still held in ${id}`)];
  }
}

/** A provider whose connections the system takes, and who never reads: it is stopped. */
async function openSilentProvider(stack: AsyncDisposableStack): Promise<number> {
  const text = `require("node:net").createServer().listen(0, "127.0.0.1", function () {
    process.stdout.write(String(this.address().port) + "\\n"); });`;
  const child = spawn(process.execPath, ["-e", text], { stdio: ["ignore", "pipe", "inherit"] });
  const { pid } = child;
  if (pid === undefined) throw new Error("the silent provider did not start");
  stack.defer(() => kill(pid));
  const [line] = (await once(child.stdout, "data", { signal: never })) as [Buffer];
  halt(pid);
  return Number(line.toString());
}
