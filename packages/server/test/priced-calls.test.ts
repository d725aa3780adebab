/** From the API to a charge and to an alert: a default price reaches the very next call, and what it spends is told to a webhook. */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

import { createClient } from "@faultline/protocol";
import { until } from "@faultline/testkit";
import { afterAll, describe, expect, it } from "vitest";

import { killProcess, makePlace, startProcess, stopProcess } from "./platform-process.ts";

const { signal } = new AbortController();
const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

const answer = JSON.stringify({
  id: "r",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "one" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

async function openServer(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  resources.defer(() => void server.close());
  // A server that listens on TCP has an address with a port.
  return (server.address() as AddressInfo).port;
}

/** A provider on this machine, with what its model costs. */
const configure = (port: number, prices: string): string => `
webhooks: { privateAddresses: allow }
providers:
  - name: near
    kind: openai
    baseUrl: http://127.0.0.1:${port}/v1
    models:
      - name: bare
${prices}`;

describe("a platform", () => {
  it("admits a model without a price at the tenant's default, and tells a webhook what that leads to", async () => {
    const providerPort = await openServer((request, response) => {
      request.resume().on("end", () => {
        response.writeHead(200, { "content-type": "application/json" }).end(answer);
      });
    });
    const alerts: string[] = [];
    const receiverPort = await openServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        alerts.push(body);
        response.writeHead(204).end();
      });
    });
    const place = resources.use(await makePlace());
    const file = path.join(place.folder, "faultline.yaml");
    await writeFile(file, configure(providerPort, ""));
    const running = await startProcess(place);
    resources.defer(async () => void (await killProcess(running, "everything").catch(() => {})));
    const { url, adminKey: key = "" } = running;
    const client = createClient({ baseUrl: url, key, fetch });
    const call = async (): Promise<string> => {
      const reply = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: '{"model":"bare","max_tokens":5,"messages":[{"role":"user","content":"x"}]}',
      });
      return `${reply.status} ${await reply.text()}`;
    };
    await client.grantCredit({ body: { currency: "USD", amountMicros: "10000000" } }, { signal });
    expect(await call()).toMatch(/^402 .*price_unknown/);
    const price = { inputMicros: "2000000", outputMicros: "8000000" };
    await client.setDefaultPrice({ body: price }, { signal });
    const terms = {
      budgetId: "all",
      scope: { kind: "tenant" },
      window: { kind: "total" },
    } as const;
    const limit = { currency: "USD", limitMicros: "100", isHard: false, thresholdPercents: [50] };
    await client.setBudget({ body: { ...terms, ...limit } }, { signal });
    const hook = { url: `http://127.0.0.1:${receiverPort}/` };
    await client.addWebhook({ body: hook }, { signal });
    expect(await call()).toMatch(/^200 /);
    await until(() => alerts.length > 0);
    expect(JSON.parse(alerts[0] ?? "")).toMatchObject({
      type: "budget.threshold_passed",
      budget: { budgetId: "all", percent: 50, limitMicros: "100" },
    });
    // From now on it has a price of its own.
    const own = "        inputPricePerMillionTokens: 1\n        outputPricePerMillionTokens: 1\n";
    await writeFile(file, configure(providerPort, own));
    const chargedBy = async (version: string): Promise<bigint> => {
      const { rows } = await client.readUsage({ query: { by: "price" } }, { signal });
      const row = rows.find(({ name }) => name.startsWith(version));
      return BigInt(row?.chargedMicros ?? "0");
    };
    // A worker may not have heard of it when a call comes.
    await until(async () => {
      expect(await call()).toMatch(/^200 /);
      return (await chargedBy("near/bare@configuration-")) > 0n;
    });
    // 10 tokens of input and 5 of output, by each price.
    expect((await chargedBy("default@1")) % 60n).toBe(0n);
    expect((await chargedBy("near/bare@configuration-")) % 15n).toBe(0n);
    await stopProcess(running);
  });
});
