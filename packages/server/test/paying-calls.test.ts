/** From the API to a refusal: an account that is opened holds for the very next call, on every worker. */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

import { createClient } from "@faultline/protocol";
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

/** A provider on a port of its own, as a configuration that gives its model a price. */
async function openProvider(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  resources.defer(() => void server.close());
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
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

describe("a platform", () => {
  it("takes calls of a tenant only for credit, once it has an account, and charges what they cost", async () => {
    const place = resources.use(await makePlace());
    await writeFile(path.join(place.folder, "faultline.yaml"), await openProvider());
    const running = await startProcess(place);
    resources.defer(async () => void (await killProcess(running, "everything").catch(() => {})));
    const { url, adminKey: key = "" } = running;
    const client = createClient({ baseUrl: url, key, fetch });
    const call = async (): Promise<number> => {
      const reply = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: '{"model":"paid","max_tokens":5,"messages":[{"role":"user","content":"x"}]}',
      });
      await reply.arrayBuffer();
      return reply.status;
    };
    expect(await call()).toBe(200);
    await client.openLedgerAccount({ body: { currency: "USD" } }, { signal });
    expect(await call()).toBe(402);
    await client.grantCredit({ body: { currency: "USD", amountMicros: "100000" } }, { signal });
    expect(await call()).toBe(200);
    await stopProcess(running);
    const again = await startProcess(place);
    resources.defer(async () => void (await killProcess(again, "everything").catch(() => {})));
    const { entries } = await createClient({ baseUrl: again.url, key, fetch }).listLedgerEntries(
      { query: {} },
      { signal },
    );
    const reasons = entries.map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === "charged")).toHaveLength(1);
    await stopProcess(again);
  });
});
