/** Two platforms, each with its own PostgreSQL, share an account; what lies between them is cut and healed. */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import path from "node:path";

import { type Client, createClient, type LedgerBalance } from "@faultline/protocol";
import { until } from "@faultline/testkit";
import { afterEach, describe, expect, it } from "vitest";

import { killProcess, makePlace, type PlatformPlace, startProcess } from "./platform-process.ts";

const { signal } = new AbortController();
const sharedKey = "a key of two regions, of which nobody else knows";
const costMicros = 50n;
let resources = new AsyncDisposableStack();

afterEach(async () => {
  await resources.disposeAsync();
  resources = new AsyncDisposableStack();
});

/** A provider of whose calls each costs the same. */
async function openProvider(): Promise<string> {
  const answer = JSON.stringify({
    id: "x",
    object: "chat.completion",
    created: 1,
    model: "paid",
    choices: [{ index: 0, message: { role: "assistant", content: "y" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 40, completion_tokens: 5, total_tokens: 45 },
  });
  const server = createHttpServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(answer);
    });
  });
  const port = await listen(server);
  return `
providers:
  - name: paid
    kind: openai
    baseUrl: http://127.0.0.1:${port}/v1
    models:
      - name: paid
        inputPricePerMillionTokens: 1
        outputPricePerMillionTokens: 2
`;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  resources.defer(() => void server.close());
  // A server that listens on TCP has an address with a port.
  return (server.address() as AddressInfo).port;
}

/** The way to a port, which can be cut. */
class Link {
  isCut = false;
  readonly #sockets = new Set<Socket>();
  readonly server: Server;

  constructor(toPort: number) {
    this.server = createServer((near) => {
      if (this.isCut) {
        near.destroy();
        return;
      }
      const far = connect(toPort, "127.0.0.1");
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    resources.defer(() => this.cut());
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

interface Region {
  readonly client: Client;
  call(): Promise<{ status: number; code: string | undefined }>;
}

async function startRegion(place: PlatformPlace, config: string): Promise<Region> {
  await writeFile(path.join(place.folder, "faultline.yaml"), config);
  const running = await startProcess(place, { FAULTLINE_REGION_KEY: sharedKey });
  resources.defer(async () => void (await killProcess(running, "everything").catch(() => {})));
  const { url, adminKey: key = "" } = running;
  const call = async (): Promise<{ status: number; code: string | undefined }> => {
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: '{"model":"paid","max_tokens":5,"messages":[{"role":"user","content":"x"}]}',
    });
    // An error of the gateway names its code; an answer has no error.
    const body = (await reply.json()) as { error?: { code?: string } };
    return { status: reply.status, code: body.error?.code };
  };
  return { client: createClient({ baseUrl: url, key, fetch }), call };
}

function regionsOf(own: string, peer: string): string {
  return `
regions:
  name: ${own}
  keepMicros: 500
  intervalMs: 200
  peers:
    - ${peer}
      keyEnvironment: FAULTLINE_REGION_KEY
  tenants:
    - { id: default, home: eu }
`;
}

async function balanceOf({ client }: Region): Promise<LedgerBalance> {
  return client.readLedgerBalance({}, { signal });
}

async function usedMicros(region: Region): Promise<bigint> {
  const { balances } = await balanceOf(region);
  return BigInt(balances.find(({ account }) => account === "usage:tokens/USD")?.balanceMicros ?? 0);
}

function budgetOf(limitMicros: string) {
  const what = { budgetId: "all", currency: "USD", scope: { kind: "tenant" } } as const;
  const how = { window: { kind: "total" }, isHard: true, thresholdPercents: [] } as const;
  return { ...what, ...how, thresholdPercents: [], limitMicros };
}

describe("an account that two platforms share", () => {
  it("pays in both; cut off, each goes on with what it has, and nothing is lost or spent twice", async () => {
    const provider = await openProvider();
    const [euPlace, usPlace] = [resources.use(await makePlace()), resources.use(await makePlace())];
    const link = new Link(euPlace.port);
    const port = await listen(link.server);
    const eu = await startRegion(euPlace, `${provider}${regionsOf("eu", "name: us")}`);
    const toEu = `name: eu\n      url: http://127.0.0.1:${port}`;
    const us = await startRegion(usPlace, `${provider}${regionsOf("us", toEu)}`);
    const grant = { currency: "USD", amountMicros: "100000" };
    await eu.client.grantCredit({ body: { id: "first", ...grant } }, { signal });
    let callCount = 0n;
    const callUntil = async (region: Region, status: number): Promise<string | undefined> => {
      let code: string | undefined;
      await until(async () => {
        const reply = await region.call();
        if (reply.status === 200) callCount += 1n;
        ({ code } = reply);
        return reply.status === status;
      });
      return code;
    };
    await callUntil(us, 200);
    await callUntil(eu, 200);

    link.cut();
    expect(await callUntil(us, 503)).toBe("ledger_unavailable");
    await callUntil(eu, 200);
    await us.client.grantCredit({ body: { id: "second", ...grant } }, { signal });
    await us.client.setBudget({ body: budgetOf("90000") }, { signal });
    await eu.client.setBudget({ body: budgetOf("80000") }, { signal });

    link.isCut = false;
    await callUntil(us, 200);
    await until(async () => (await usedMicros(eu)) === callCount * costMicros);
    const { lots } = await balanceOf(eu);
    expect(lots.map(({ grantedMicros }) => grantedMicros)).toEqual(["100000", "100000"]);
    await until(async () => {
      const found = await us.client.listGrantConflicts({}, { signal });
      return found.conflicts.length === 1;
    });
    const { differences } = await eu.client.reconcileLedger({ body: {} }, { signal });
    expect(differences).toMatchObject([{ kind: "edits-contradict", subject: "budget/all" }]);
    const { conflicts } = await eu.client.listGrantConflicts({}, { signal });
    expect(conflicts).toMatchObject([{ key: "budget/all", edits: [{ number: 1 }, { number: 2 }] }]);
    const limit = async (): Promise<string | undefined> =>
      (await eu.client.listBudgets({}, { signal })).budgets[0]?.limitMicros;
    expect(await limit()).toBe("80000");
    const number = conflicts[0]?.edits.find(({ region }) => region === "us")?.number ?? 0;
    await us.client.resolveGrantConflict({ body: { key: "budget/all", number } }, { signal });
    await until(async () => (await limit()) === "90000");
    const reconciled = { body: { apply: true } };
    await expect(us.client.reconcileLedger(reconciled, { signal })).rejects.toMatchObject({
      code: "ledger_command_invalid",
    });
    expect((await eu.client.reconcileLedger({ body: {} }, { signal })).differences).toEqual([]);
  });
});
