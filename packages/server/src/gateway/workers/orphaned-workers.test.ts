/** Workers whose control process was killed: what is under way ends, nothing goes unrecorded, and the next start waits for nobody. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { until } from "@faultline/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { emptyRecord } from "../test/operation-records.ts";
import { exchange, openSocket, parseReply, type RawReply, readAll } from "../test/raw-client.ts";
import { leaveRecords } from "./left-records.ts";
import { toOperationText } from "./operation-text.ts";
import { openTestGateway, type TestGatewayOptions, testSecret } from "../test/test-gateway.ts";

const script = fileURLToPath(new URL("../test/test-supervisor.ts", import.meta.url));
const body = '{"model":"simulated","messages":[{"role":"user","content":"x"}]}';
const streamBody = body.replace("{", '{"stream":true,');

interface Supervisor {
  readonly child: ChildProcess;
  readonly port: number;
  readonly workers: readonly number[];
}

let journalFolder: string;
let supervisor: Supervisor;

async function start(options: Pick<TestGatewayOptions, "drainMs" | "count"> = {}): Promise<void> {
  const child = spawn(process.execPath, [script, JSON.stringify({ journalFolder, ...options })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  supervisor = { child, ...(JSON.parse(line.toString()) as Omit<Supervisor, "child">) };
}

beforeEach(async () => {
  journalFolder = await mkdtemp("/tmp/faultline-orphans-");
});
afterEach(async () => {
  supervisor.child.kill("SIGKILL");
  await until(() => supervisor.workers.every((pid) => hasEnded(pid)));
  await rm(journalFolder, { recursive: true });
});

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function openStream(simulate: string): Promise<Socket> {
  const socket = await openSocket(supervisor.port);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\nx-faultline-simulate: ${simulate}\r\ncontent-length: ${streamBody.length}\r\n\r\n${streamBody}`,
  );
  await once(socket, "readable");
  return socket;
}

const head = ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`];
const durable = [...head, "x-faultline-stream: durable"];

async function killControl(): Promise<void> {
  const exited = once(supervisor.child, "exit");
  supervisor.child.kill("SIGKILL");
  await exited;
}

const operationOf = (reply: RawReply): string =>
  /^x-faultline-operation-id: (\S+)/im.exec(reply.head)?.[1] ?? "";

describe("workers whose control process was killed", () => {
  it("finish their streams, take no new call, and leave what is to be recorded to the next start", async () => {
    await start();
    const rest = readAll(await openStream("tokens=40,pace=20ms"));
    await killControl();
    await until(
      async () =>
        (await exchange(supervisor.port, head, body).catch(() => undefined)) === undefined,
    );
    const reply = parseReply(await rest);
    expect([reply.status, reply.whole]).toEqual([200, true]);
    expect(reply.body.toString()).toContain("data: [DONE]");
    await until(() => supervisor.workers.every((pid) => hasEnded(pid)));
    await using world = await openTestGateway({ journalFolder });
    const span = await world.spanWhere(
      ({ attributes }) => attributes["faultline.operation.id"] === operationOf(reply),
    );
    expect(span.attributes).toMatchObject({
      "faultline.operation.outcome": "completed",
      "gen_ai.usage.output_tokens": 40,
    });
    await until(async () => (await readdir(path.join(journalFolder, "unrecorded"))).length === 0);
  });

  it("end calls with a key, whose replies the next start gives to whoever sends the key again", async () => {
    await start();
    const keyed = [...head, "idempotency-key: once", "x-faultline-simulate: tokens=20,pace=20ms"];
    const socket = await openSocket(supervisor.port);
    const lines = [...keyed, "host: h", `content-length: ${streamBody.length}`];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${streamBody}`);
    await once(socket, "readable");
    await killControl();
    socket.destroy();
    await until(
      async () =>
        (await exchange(supervisor.port, head, body).catch(() => undefined)) === undefined,
    );
    await using world = await openTestGateway({ journalFolder, count: 2, port: supervisor.port });
    let again = await exchange(supervisor.port, keyed, streamBody);
    await until(async () => {
      if (again.status === 503) again = await exchange(supervisor.port, keyed, streamBody);
      return again.status !== 503;
    });
    expect(again.head).toMatch(/^x-faultline-idempotency: replayed/im);
    expect(again.body.toString()).toContain("data: [DONE]");
    const { attributes } = await world.spanWhere(() => true);
    expect(attributes["gen_ai.usage.output_tokens"]).toBe(20);
  });

  it("cut what outlives their deadline, with an error in band", async () => {
    await start({ drainMs: 200 });
    const rest = readAll(await openStream("stall-after=3"));
    await killControl();
    const reply = parseReply(await rest);
    expect(reply.whole).toBe(false);
    expect(reply.body.toString()).toContain('"code":"shutting_down"');
    expect(reply.body.toString()).not.toContain("[DONE]");
  });

  it("leave the port to the next start at once, which has their journals when they have ended", async () => {
    await start({ count: 1, drainMs: 60_000 });
    const held = await openStream("stall-after=3");
    await killControl();
    await until(
      async () =>
        (await exchange(supervisor.port, head, body).catch(() => undefined)) === undefined,
    );
    await using world = await openTestGateway({ journalFolder, port: supervisor.port });
    expect((await exchange(supervisor.port, head, body)).status).toBe(200);
    const early = await exchange(supervisor.port, durable, streamBody);
    expect([early.status, early.body.toString()]).toEqual([
      503,
      expect.stringContaining("journal_unavailable"),
    ]);
    const ended = readAll(held);
    held.destroy();
    await ended;
    let late = early;
    await until(async () => {
      late = await exchange(supervisor.port, durable, streamBody);
      return late.status === 200;
    });
    expect(late.head).toMatch(/^x-faultline-stream-id: /im);
    await until(() => world.gateway.failedJournalCount === 0);
  });
});

it("records that cannot be read are set aside, and keep nobody from starting", async () => {
  const folder = path.join(journalFolder, "unrecorded");
  await mkdir(folder);
  await writeFile(path.join(folder, "1-0-1.records"), "no records");
  await start();
  await until(async () => (await readdir(folder)).join() === "1-0-1.records.unreadable");
});

it("records that take long to store keep no call waiting", async () => {
  await start();
  await killControl();
  await leaveRecords(journalFolder, "1-0-1", [toOperationText(emptyRecord("o"))]);
  const stored = Promise.withResolvers<void>();
  await using world = await openTestGateway({
    journalFolder,
    onOperations: async () => await stored.promise,
  });
  expect((await exchange(world.gateway.port, head, body)).status).toBe(200);
  expect(await readdir(path.join(journalFolder, "unrecorded"))).toHaveLength(1);
  stored.resolve();
  await world.spanWhere(({ attributes }) => attributes["faultline.operation.id"] === "o");
});
