/** A caller that leaves at any event of a stream: the provider sees it at once, and what was used is recorded. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { surfaces } from "../calls/surface.ts";
import { openSocket } from "./raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
} from "./test-gateway.ts";
import { chatText, messagesText, responsesText, type WireSample } from "./wire-samples.ts";

const samples = { chat: chatText, messages: messagesText, responses: responsesText } as const;
type Streamed = keyof typeof samples;

/** The provider stops before this event, and waits for the caller to be gone. */
interface Meeting {
  readonly sample: WireSample;
  readonly eventCount: number;
  readonly arrived: PromiseWithResolvers<ServerResponse>;
}

let world: TestGateway;
let upstream: TestServer;
let meeting: Meeting;

beforeAll(async () => {
  upstream = await openTestServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const { sample, eventCount, arrived } = meeting;
      if (eventCount > 0) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(sample.events.slice(0, eventCount).join(""));
      }
      arrived.resolve(response);
    });
  });
  const provider = { ...providerAt(upstream.port), surfaces: Object.keys(samples) as Streamed[] };
  world = await openTestGateway({ providers: [provider] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const cases = Object.entries(samples).flatMap(([surface, sample]) =>
  // Before the terminator: with it all is said.
  sample.events.slice(0, -1).map((_, index) => [surface as Streamed, index] as const),
);

describe("a caller that leaves", () => {
  it.each(cases)("%s after %i events", async (surface, eventCount) => {
    const sample = samples[surface];
    meeting = { sample, eventCount, arrived: Promise.withResolvers() };
    const socket = await openSocket(world.gateway.port);
    const lastSeen = seenText(surface, sample.events[eventCount - 1]);
    const body = bodyOf(surface);
    const traceId = Buffer.from(`${surface} ${eventCount}`.padStart(16, ".")).toString("hex");
    socket.write(
      `POST /v1${surfaces[surface].path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${testSecret}\r\ntraceparent: 00-${traceId}-0123456789abcdef-01\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const response = await meeting.arrived.promise;
    let received = "";
    socket.on("data", (part: Buffer) => {
      received += part.toString();
    });
    const awaited = lastSeen ?? "";
    while (!received.includes(awaited)) await once(socket, "data");
    const closed = once(response, "close");
    socket.destroy();
    // One more frame; the connection must be closed before the provider would write a second one.
    if (eventCount > 0) response.write(sample.events[eventCount] ?? "");
    await closed;
    const span = await world.spanWhere((one) => one.traceId === traceId);
    expect(span.attributes["faultline.operation.outcome"]).toBe("cancelled");
    const output = span.attributes["gen_ai.usage.output_tokens"];
    if (eventCount === 0) {
      // The provider has read the request, whatever it would have answered.
      expect(output).toBe(0);
      expect(Number(span.attributes["gen_ai.usage.input_tokens"])).toBeGreaterThanOrEqual(4);
      expect(span.attributes["faultline.usage.source"]).toBe("observed");
      expect(Number(span.attributes["faultline.cost.micros"])).toBeGreaterThanOrEqual(8);
      return;
    }
    const said = sample.events.slice(0, eventCount);
    const next = sample.events.slice(0, eventCount + 1);
    expect(Number(output)).toBeGreaterThanOrEqual(
      lastSeen === undefined ? 0 : tokensOf(surface, said),
    );
    expect(Number(output)).toBeLessThanOrEqual(Math.max(tokensOf(surface, next), 9));
  });
});

/** What of an event reaches the caller, once something was said. */
function seenText(surface: Streamed, event: string | undefined): string | undefined {
  if (event === undefined) return undefined;
  const { events, firstDelta } = samples[surface];
  // A usage frame that nobody asked for is taken out.
  return events.indexOf(event) < firstDelta || event.includes('"choices":[]') ? undefined : event;
}

const words = ["The sea", " is calm — ", "today."];

/** At four bytes a token, rounded up. */
function tokensOf(surface: Streamed, events: readonly string[]): number {
  const { firstDelta } = samples[surface];
  const deltas = words.slice(0, Math.max(0, events.length - firstDelta));
  return Math.ceil(Buffer.byteLength(deltas.join("")) / 4);
}

function bodyOf(surface: Streamed): string {
  const input =
    surface === "responses"
      ? { input: "Say something." }
      : { max_tokens: 64, messages: [{ role: "user", content: "Say something." }] };
  return JSON.stringify({ model: "upstream/model-a", stream: true, ...input });
}
