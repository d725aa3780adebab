/** What the relays of translated replies make of a provider's bytes. */

import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { contextOf } from "../translation/test/exchange.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import { ReplyReader } from "./reply-reader.ts";
import { surfaces } from "./surface.ts";
import { TranslatedPlainRelay, TranslatedStreamRelay } from "./translated-relay.ts";

/** A caller of messages, whose provider speaks chat completions. */
const context = contextOf("messages", "chat", { max_tokens: 9, stream: true });

function relayOf(open: (target: RelayTarget) => Relay, bytes: string): string {
  const said: string[] = [];
  const relay = open({
    sink: {
      headersSent: false,
      statusCode: 200,
      writeHead: () => undefined,
      write: (chunk) => said.push(chunk.toString()) > 0,
      end: (chunk) => said.push(chunk?.toString() ?? ""),
      once: () => undefined,
      destroy: () => undefined,
    },
    status: 200,
    head: {},
    reader: new ReplyReader(surfaces.chat.reply),
    surface: surfaces.messages,
  });
  relay.write(Buffer.from(bytes));
  relay.end();
  return said.join("");
}

const relayPlain = (bytes: string): string =>
  relayOf((target) => new TranslatedPlainRelay(target, context), bytes);
const relayStream = (bytes: string): string =>
  relayOf((target) => new TranslatedStreamRelay(target, context), bytes);

describe("a translated reply", () => {
  it("that is an error is the provider's failure, so that another attempt may answer", () => {
    const failure = (): string => relayPlain('{"error":{"message":"overloaded","code":503}}');
    expect(failure).toThrow(PlatformError);
    expect(failure).toThrow(expect.objectContaining({ code: "provider_failed" }));
  });
});

describe("a translated stream", () => {
  it("is read by the names of its fields alone, whatever lines stand beside them", () => {
    const chunk = '{"choices":[{"index":0,"delta":{"content":"hé"},"finish_reason":"stop"}]}';
    const text = relayStream(
      `: ping\r\n\r\nid: 7\r\nretry: 5\r\ndatabase: x\r\ndata:${chunk}\r\n\r\ndata: [DONE]\r\n\r\n`,
    );
    expect(text).toContain('"text":"hé"');
    expect(text.match(/^event: .*$/gm)?.at(-1)).toBe("event: message_stop");
  });
});
