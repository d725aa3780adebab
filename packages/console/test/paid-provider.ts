/** A provider of a model that costs something, and nodes that do: what a platform needs so that its ledger has something to do. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface PaidProvider extends AsyncDisposable {
  /** The settings of a platform that calls it: the model `paid`, and a node of eight devices. */
  readonly settings: string;
}

const answer = JSON.stringify({
  id: "r",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "one" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 40, completion_tokens: 5, total_tokens: 45 },
});

/** Starts it on a free port of the loopback. Each call costs 40 × 1,000 + 5 × 2,000 millionths of a dollar: five cents. */
export async function openPaidProvider(): Promise<PaidProvider> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    settings: `
providers:
  - name: paid
    kind: openai
    baseUrl: http://127.0.0.1:${port}/v1
    models:
      - { name: paid, inputPricePerMillionTokens: 1000, outputPricePerMillionTokens: 2000 }
compute:
  nodes:
    - { id: node-1, region: eu, deviceKind: h100, deviceCount: 8, cpuCores: 96, memoryGigabytes: 1024 }
  prices:
    - { deviceKind: h100, microsPerDeviceSecond: 700 }
`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
