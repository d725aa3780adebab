/** The drill as it runs: real GraphQL, real PostgreSQL, real OTLP into the telemetry store, and a case about it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import type { CaseDetail } from "@faultline/protocol";
import { Cases } from "@faultline/server/cases/index.ts";
import { loadConfig } from "@faultline/server/config/index.ts";
import { createIds, systemClock, systemRandom } from "@faultline/server/kernel/index.ts";
import { LedgerBooks } from "@faultline/server/ledger/index.ts";
import { openBlobs } from "@faultline/server/storage/index.ts";
import { Telemetry, Tracer } from "@faultline/server/telemetry/index.ts";
import { openTemporaryFolder, openTestDatabase } from "@faultline/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { LoadTotals } from "./load.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const key = "a-key-of-this-test";
const requestCount = 45;

const opened = new AsyncDisposableStack();
const background = new AbortController();
let cases: Cases;
let scope: Parameters<Cases["openCase"]>[0];
let endpoint: string;
let dataFolder: string;
let before: CaseDetail;

beforeAll(async () => {
  opened.defer(() => background.abort());
  const folder = opened.use(await openTemporaryFolder());
  dataFolder = join(folder.path, "data");
  const database = opened.use(await openTestDatabase());
  const parts = {
    store: database.store,
    clock: systemClock,
    random: systemRandom,
    logger: pino({ level: "silent" }),
    signal: background.signal,
  };
  const limits = loadConfig({ environment: {}, workingFolder: folder.path });
  const telemetry = opened.use(await Telemetry.open({ ...parts, limits }));
  const tracer = new Tracer({ ...parts, scope: "test", sink: async () => undefined });
  cases = Cases.open({
    ...parts,
    telemetry,
    ledger: new LedgerBooks(parts),
    tracer,
    blobs: await openBlobs(join(folder.path, "blobs")),
    ids: createIds(systemClock, systemRandom),
  });
  scope = { tenantId: database.tenantId, signal: background.signal, actor: "drill test" };

  const receiver = receiverOf(telemetry);
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  opened.defer(() => void receiver.close());
  endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

  const window = await run("--variant", "broken");
  before = await cases.openCase(scope, {
    symptom: "The order list is slow, and slower the longer it is",
    subject: { kind: "service", name: "orders" },
    ...window,
  });
});
afterAll(() => opened.disposeAsync());

/** Takes OTLP over HTTP into the store, as the platform's own route does. */
function receiverOf(telemetry: Telemetry): Server {
  return createServer((request, response) => {
    void (async () => {
      const bytes = await buffer(request);
      const isKnown = request.headers.authorization === `Bearer ${key}`;
      if (isKnown) {
        const { tenantId, signal } = scope;
        await telemetry.ingestOtlp({
          kind: "traces",
          tenantId,
          bytes,
          encoding: "protobuf",
          signal,
        });
      }
      response.writeHead(isKnown ? 200 : 401, { "content-type": "application/x-protobuf" }).end();
    })();
  });
}

/** Runs the drill until its load has ended and its telemetry is stored; gives the window of that run. */
async function run(...flags: string[]): Promise<{ from: string; to: string }> {
  const from = new Date().toISOString();
  const ended = await runUntil("loadEnded", "--request-count-max", String(requestCount), ...flags);
  expect(ended.sent).toBe(flags.includes("0") ? 0 : requestCount);
  return { from, to: new Date().toISOString() };
}

/** Runs the drill, asks it to stop when it has said `word`, and gives what it says of its load. */
async function runUntil(word: string, ...flags: string[]): Promise<LoadTotals> {
  const drill = spawn(
    process.execPath,
    [main, "--endpoint", endpoint, "--data", dataFolder, "--rate", "50", ...flags],
    { env: { ...process.env, FAULTLINE_KEY: key }, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(drill, "exit");
  let totals: LoadTotals | undefined;
  for await (const line of createInterface({ input: drill.stdout })) {
    const said: unknown = JSON.parse(line);
    if (typeof said !== "object" || said === null) continue;
    // The drill's own line.
    if ("loadEnded" in said) totals = said as unknown as LoadTotals;
    if (word in said) drill.kill("SIGTERM");
  }
  expect(await exited).toEqual([0, null]);
  expect(totals).toBeDefined();
  return totals!;
}

async function verifyAfter(...flags: string[]) {
  const window = await run(...flags);
  const detail = await cases.verify(scope, before.summary.id, window);
  const verification = detail.verifications.at(-1)!;
  const unmet = verification.coverage.filter(({ met }) => !met).map(({ name }) => name);
  return { detail, verification, unmet };
}

describe("a case about the drill", () => {
  it("names the resolver, the statement, and a count that grows with the list", () => {
    const leading = before.summary.leadingHypothesis;
    expect(leading).toMatchObject({
      status: "supported",
      contract: "fan-out/repeated-query",
      subject: { kind: "resolver", name: "orders query OrderList orders.*.customer" },
    });
    expect(leading?.statement).toContain("ran one statement 40 times");
    expect(leading?.statement).toContain("grows with the list (1 per item");
    expect(leading?.statement).toContain("select id, name, city from customers where id = ?");
    const violated = before.findings.filter(({ verdict }) => verdict === "violated");
    // On a slow machine the forty calls of a request also wait for one another's connections, and that shows in their times.
    const slowness = /^(?:fan-out\/pool-starvation|lifetimes\/latency-drift|populations\/.*)$/;
    const others = violated.filter(({ contract }) => !slowness.test(contract));
    expect(others.map(({ contract }) => contract)).toEqual(["fan-out/repeated-query"]);
  });

  it("is not proved when nothing was repaired", async () => {
    const { detail, verification } = await verifyAfter("--variant", "broken");
    expect(verification.outcome).toBe("not-repaired");
    expect(detail.summary.status).toBe("open");
  });

  it.each([
    ["lists of one, repaired", ["--variant", "repaired", "--list-sizes", "1"], "list length"],
    ["lists of one, still broken", ["--variant", "broken", "--list-sizes", "1"], "list length"],
    ["no load", ["--variant", "repaired", "--rate", "0"], "requests"],
    ["no database spans", ["--variant", "broken", "--no-database-spans"], "database call spans"],
    ["sampling at 1 %", ["--variant", "repaired", "--sampling", "0.01"], "requests"],
    [
      "the repair of another service",
      ["--variant", "repaired", "--service", "invoices"],
      "requests",
    ],
  ])("is not proved by %s", async (_, flags, condition) => {
    const { detail, verification, unmet } = await verifyAfter(...flags);
    expect(verification.outcome).toBe("inconclusive");
    expect(unmet).toContain(condition);
    expect(detail.summary.status).toBe("open");
    expect(detail.summary.leadingHypothesis?.status).toBe("supported");
  });

  it("is not proved while requests fail", async () => {
    const { verification } = await verifyAfter("--variant", "repaired", "--customers-missing");
    expect(verification.outcome).toBe("inconclusive");
    expect(verification.control.after).toBe("violated");
  });

  it("is proved by the repair", async () => {
    const { detail, verification, unmet } = await verifyAfter("--variant", "repaired");
    expect(verification.reasons.join("\n")).not.toContain("Not covered");
    expect(unmet).toEqual([]);
    expect(verification).toMatchObject({
      outcome: "proved",
      contract: { before: "violated", after: "holds" },
      control: { before: "holds", after: "holds" },
    });
    expect(detail.summary.status).toBe("proved");
    expect(await cases.report(scope, before.summary.id, "markdown")).toContain("**Proved: ");
  });
});

describe("the drill", () => {
  it("finishes the request that it is answering when it is asked to stop", async () => {
    const totals = await runUntil("ready", "--variant", "broken", "--list-sizes", "200");
    expect(totals.sent).toBeGreaterThan(0);
    expect(totals.failed).toBe(0);
  });

  it("says which flag is wrong", async () => {
    const drill = spawn(process.execPath, [main, "--variant", "mended"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [text, [code]] = await Promise.all([buffer(drill.stderr), once(drill, "exit")]);
    expect(code).toBe(1);
    expect(text.toString()).toContain("--variant must be broken or repaired");
    expect(text.toString()).toContain("Usage: ");
  });
});
