/** A platform whose configuration file changes while three workers run. */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

import { createClient } from "@faultline/protocol";
import { until } from "@faultline/testkit";
import { expect, it } from "vitest";

import { killProcess, makePlace, type PlatformProcess, startProcess } from "./platform-process.ts";

const { signal } = new AbortController();

const configuration = (port: number, price: number, requestsPerMinute: number): string => `
providers:
  - name: local
    kind: openai
    baseUrl: http://127.0.0.1:${port}/v1
    models:
      - name: tiny
        inputPricePerMillionTokens: ${price}
        outputPricePerMillionTokens: ${price}
limits:
  key: { requestsPerMinute: ${requestsPerMinute} }
`;

const reply = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "tiny",
  choices: [{ index: 0, message: { role: "assistant", content: "yes" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
});

async function chat({ url, adminKey }: PlatformProcess): Promise<Response> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${adminKey}`,
      "content-type": "application/json",
      // Each call has a connection of its own, so that the workers share them.
      connection: "close",
    },
    body: JSON.stringify({ model: "tiny", messages: [{ role: "user", content: "hello" }] }),
  });
  await response.arrayBuffer();
  return response;
}

it("takes over a price and a limit in every worker, and refuses a broken file", async () => {
  await using place = await makePlace();
  const provider = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(reply);
  }).listen(0, "127.0.0.1");
  await once(provider, "listening");
  // A server that listens on TCP has an address with a port.
  const { port } = provider.address() as AddressInfo;
  const file = path.join(place.folder, "faultline.yaml");
  await writeFile(file, configuration(port, 1, 1_000));
  const platform = await startProcess(place, { FAULTLINE_WORKERS: "3" });
  try {
    const client = createClient({ baseUrl: platform.url, key: platform.adminKey ?? "", fetch });
    const costs = async (): Promise<unknown[]> => {
      const { traces } = await client.listTraces({ query: { operation: "chat tiny" } }, { signal });
      const whole = await Promise.all(
        traces.map(({ traceId }) => client.readTrace({ params: { traceId } }, { signal })),
      );
      return whole.map(({ spans }) => spans[0]?.attributes["faultline.cost.micros"]);
    };
    const taken = (): number => platform.log().split("the configuration was taken over").length - 1;

    expect((await chat(platform)).status).toBe(200);
    await until(async () => (await costs()).length === 1);
    const [before] = await costs();
    expect(before).toBeTypeOf("number");

    // The watch of the file is enough.
    await writeFile(file, configuration(port, 7, 1_000));
    await until(() => taken() === 1);
    const answers = await Promise.all(Array.from({ length: 12 }, () => chat(platform)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await until(async () => (await costs()).length === 13);
    expect((await costs()).filter((cost) => cost === Number(before) * 7)).toHaveLength(12);

    await writeFile(file, "providers: [");
    await until(() => platform.log().includes("the changed configuration is not taken over"));
    expect((await chat(platform)).status).toBe(200);

    // So is the signal.
    await writeFile(file, configuration(port, 7, 1));
    platform.child.kill("SIGHUP");
    await until(() => taken() === 2);
    const limited = await Promise.all(Array.from({ length: 12 }, () => chat(platform)));
    expect(limited.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(11);
  } finally {
    await killProcess(platform, "everything");
    provider.closeAllConnections();
    provider.close();
  }
});
