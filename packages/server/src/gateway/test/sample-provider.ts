/** For tests: a provider that answers with the samples of the surface that it is asked in. */

import type { ServerResponse } from "node:http";

import { openTestServer, type TestServer } from "./test-gateway.ts";
import {
  chatText,
  chatTools,
  completionsText,
  messagesText,
  messagesTools,
  responsesText,
  responsesTools,
  type WireSample,
} from "./wire-samples.ts";

interface Samples {
  readonly text: WireSample;
  /** When tools are offered. */
  readonly tools: WireSample;
}

/** Below `/chat/v1` it speaks only what a provider of chat completions does, and so on. */
const pathsByRoot: Readonly<Record<string, readonly string[]>> = {
  "/chat": ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"],
  "/responses": ["/v1/responses"],
  "/messages": ["/v1/messages", "/v1/messages/count_tokens"],
};

const samplesByPath: Readonly<Record<string, Samples>> = {
  "/v1/chat/completions": { text: chatText, tools: chatTools },
  "/v1/responses": { text: responsesText, tools: responsesTools },
  "/v1/completions": { text: completionsText, tools: completionsText },
  "/v1/messages": { text: messagesText, tools: messagesTools },
};

export interface SampleProvider extends AsyncDisposable {
  readonly port: number;
  /** Bodies that came, parsed, the newest last. */
  readonly received: { readonly path: string; readonly body: Record<string, unknown> }[];
}

/** Listens on a free port. */
export async function openSampleProvider(): Promise<SampleProvider> {
  const received: SampleProvider["received"] = [];
  const server: TestServer = await openTestServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const [, root = "", path = ""] = /^(\/[a-z]+)(\/v1\/[^?]*)/.exec(request.url ?? "") ?? [];
      const text = Buffer.concat(parts).toString();
      // Test clients send objects.
      const body = JSON.parse(text) as Record<string, unknown>;
      received.push({ path, body });
      answer(response, pathsByRoot[root]?.includes(path) === true ? path : "", body);
    });
  });
  return {
    port: server.port,
    received,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function answer(response: ServerResponse, path: string, body: Record<string, unknown>): void {
  if (path === "/v1/messages/count_tokens") {
    sendJson(response, { input_tokens: 12 });
    return;
  }
  if (path === "/v1/embeddings") {
    sendJson(response, {
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: [0.5, -0.25] }],
      model: body["model"],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
    return;
  }
  const samples = samplesByPath[path];
  if (samples === undefined) {
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: "There is no such path." } }));
    return;
  }
  const sample = Array.isArray(body["tools"]) ? samples.tools : samples.text;
  if (body["stream"] !== true) {
    sendJson(response, sample.plain);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(sample.events.filter((event) => isWanted(event, body)).join(""));
}

/** Usage comes in a stream of chat only when it was asked for. */
function isWanted(event: string, body: Record<string, unknown>): boolean {
  if (!event.includes('"choices":[]')) return true;
  const options = body["stream_options"];
  return typeof options === "object" && options !== null && "include_usage" in options;
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
