/** What a stream relay passes on of a provider's bytes, wherever these are cut. */

import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { ReplyReader } from "./reply-reader.ts";
import type { ReplySink } from "./reply-sink.ts";
import { StreamRelay } from "./stream-relay.ts";
import { surfaces } from "./surface.ts";

interface Relayed {
  readonly text: string;
  readonly ended: boolean;
  readonly error: string | undefined;
  readonly reader: ReplyReader;
}

/** Relays a stream in parts of so many bytes, for a caller who did not ask for usage. */
function relay(
  surfaceName: "chat" | "responses" | "messages",
  stream: string,
  partBytes = stream.length,
): Relayed {
  const surface = surfaces[surfaceName];
  const reader = new ReplyReader(surface.reply);
  const parts: Buffer[] = [];
  let ended = false;
  let error: string | undefined;
  const sink: ReplySink = {
    headersSent: false,
    statusCode: 200,
    writeHead: () => undefined,
    write: (bytes) => parts.push(Buffer.from(bytes)) > 0,
    end: () => {
      ended = true;
    },
    once: () => undefined,
    destroy: () => undefined,
  };
  const target = { sink, status: 200, head: {}, reader, surface };
  const streamRelay = new StreamRelay(target, surfaceName === "chat");
  const bytes = Buffer.from(stream);
  try {
    for (let at = 0; at < bytes.length; at += partBytes) {
      // A copy, as each part that a socket gives is.
      streamRelay.write(Buffer.from(bytes.subarray(at, at + partBytes)));
    }
    streamRelay.end();
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    error = thrown.code;
    if (streamRelay.committed) streamRelay.breakOff(thrown);
  }
  return { text: Buffer.concat(parts).toString(), ended, error, reader };
}

const said = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"hé"}}]}';

describe("the relay of a stream", () => {
  it.each(["\n", "\r\n", "\r"])(
    "takes out the usage frame alone, with lines that end in %j and cut anywhere",
    (lineEnd) => {
      const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}';
      const others = [
        // Azure's report on the prompt: no choices either, but no usage.
        'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":null}',
        ": keep-alive",
        said,
        'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}',
        ": the usage comes",
        "data: [DONE]",
      ];
      const streamOf = (frames: readonly string[]): string =>
        frames.map((frame) => `${frame}${lineEnd}${lineEnd}`).join("");
      const stream = streamOf(others.toSpliced(4, 0, usage));
      for (let partBytes = 1; partBytes <= stream.length; partBytes += 1) {
        const { text, ended, reader } = relay("chat", stream, partBytes);
        expect([partBytes, text, ended]).toEqual([partBytes, streamOf(others), true]);
        expect(reader.usage).toMatchObject({ inputTokens: 3, outputTokens: 4 });
      }
    },
  );

  it.each(["", '"choices":null,', '"choices":[],'])(
    "takes out a usage frame with %j for its choices, but never an error",
    (choices) => {
      const usage = `${choices}"usage":{"prompt_tokens":3,"completion_tokens":4}`;
      const report = `data: {"error":{"message":"out of memory"},${usage}}\n\n`;
      expect(relay("chat", `${said}\n\ndata: {${usage}}\n\n${report}`).text).toBe(
        `${said}\n\n${report}`,
      );
    },
  );

  it("lets no terminator follow an error that the provider reported in mid-stream", () => {
    const failed = 'data: {"error":{"message":"out of memory","code":500}}\n\n';
    const chat = relay("chat", `${said}\n\n${failed}data: [DONE]\n\n`);
    expect(chat).toMatchObject({ text: `${said}\n\n${failed}`, ended: false });
    expect(chat.error).toBe("provider_stream_cut");
    const words = [
      'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"b"}}\n\n',
    ].join("");
    const messages = relay("messages", `${words}data: {"type":"message_stop"}\n\n`);
    expect(messages).toMatchObject({ text: words, ended: false, error: "provider_stream_cut" });
  });

  it("reads a part to its end before the caller gets of it, who may end the call", () => {
    const reader = new ReplyReader(surfaces.chat.reply);
    const counts: number[] = [];
    const sink: ReplySink = {
      headersSent: false,
      statusCode: 200,
      writeHead: () => undefined,
      write: () => counts.push(reader.deltaCount) > 0,
      end: () => undefined,
      once: () => undefined,
      destroy: () => undefined,
    };
    const target = { sink, status: 200, head: {}, reader, surface: surfaces.chat };
    const streamRelay = new StreamRelay(target, true);
    const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3}}';
    streamRelay.write(Buffer.from(`${said}\n\n`));
    streamRelay.write(Buffer.from([said, usage, said, usage, said, ""].join("\n\n")));
    expect(counts).toEqual([1, 4, 4, 4]);
  });
});
