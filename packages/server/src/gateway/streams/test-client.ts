/** For tests: a reader of durable streams that knows the rules of server-sent events and nothing of the gateway. */

import { exchange, type RawReply } from "../test/raw-client.ts";
import { type TestGateway, testSecret } from "../test/test-gateway.ts";

export interface ReadEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  /** Behind its last byte, a line feed after a carriage return left out. */
  readonly end: number;
}

/** Reads events as the specification of HTML says (section 9.2.6). An event that is not whole is none. */
export function readEvents(bytes: Buffer): ReadEvent[] {
  const text = bytes.toString("latin1");
  const events: ReadEvent[] = [];
  let id = "";
  let type = "";
  let data: string[] = [];
  for (const match of text.matchAll(/([^\r\n]*)(\r\n|\r|\n)/g)) {
    const [all, line = "", lineEnd = ""] = match;
    if (line === "") {
      const end = match.index + all.length - (lineEnd === "\r\n" ? 1 : 0);
      events.push({ id, type, data: data.join("\n"), end });
      type = "";
      data = [];
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id") id = value;
  }
  return events;
}

/** What a reader was told: data and names, with what says nothing left out. */
export function told(bytes: Buffer): string[] {
  return readEvents(bytes)
    .filter(({ data }) => data !== "")
    .map(({ type, data, id }) => `${id} ${type} ${data}`);
}

/** Asks for a stream, or for the rest of it. */
export async function readStream(
  world: TestGateway,
  id: string,
  { lastEventId, secret = testSecret }: { lastEventId?: string | undefined; secret?: string } = {},
): Promise<RawReply> {
  return exchange(world.gateway.port, [
    `GET /v1/streams/${id} HTTP/1.1`,
    `authorization: Bearer ${secret}`,
    ...(lastEventId === undefined ? [] : [`last-event-id: ${lastEventId}`]),
  ]);
}

/** The id of the stream that a reply is. */
export function streamIdOf({ head }: { readonly head: string }): string {
  return /^x-faultline-stream-id: (\S+)$/im.exec(head)?.[1] ?? "";
}
