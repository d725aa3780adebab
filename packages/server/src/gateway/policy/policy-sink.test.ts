import type { SafetyPolicy } from "@faultline/protocol";
import { assert as check, constantFrom, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";

import type { SurfaceName } from "#config/index.ts";

import { compilePolicy } from "./compiled-policy.ts";
import { outputShapeOf } from "./output-shapes.ts";
import { PolicySink } from "./policy-sink.ts";

interface Passed {
  readonly text: string;
  readonly head: Record<string, unknown>;
  readonly ended: boolean;
  readonly refusedBy: string | undefined;
  readonly redactedBy: readonly string[];
}

/** What passes when a reply is written in parts of so many bytes. */
function pass(
  surface: SurfaceName,
  policy: SafetyPolicy,
  reply: { readonly type: string; readonly body: string; readonly partBytes?: number },
): Passed {
  const passed: Buffer[] = [];
  const caught: { head: Record<string, unknown>; ended: boolean; refusedBy: string | undefined } = {
    head: {},
    ended: false,
    refusedBy: undefined,
  };
  const shape = outputShapeOf(surface);
  if (shape === undefined) throw new Error(surface);
  const take = (chunk?: Buffer | string) => void passed.push(Buffer.from(chunk ?? ""));
  const inner = {
    headersSent: false,
    statusCode: 200,
    writeHead: (status: number, head: Record<string, unknown>) =>
      void (caught.head = { status, ...head }),
    write: (chunk: Buffer | string) => {
      take(chunk);
      return true;
    },
    end: (chunk?: Buffer | string) => {
      take(chunk);
      caught.ended = true;
    },
    once: () => undefined,
    destroy: () => undefined,
  };
  const redactedBy: string[] = [];
  const sink = new PolicySink(inner, {
    policy: compilePolicy(policy),
    shape,
    onRefused: (rule) => void (caught.refusedBy = rule),
    onRedacted: (rule) => void redactedBy.push(rule),
  });
  sink.writeHead(200, { "content-type": reply.type, "x-request-id": "r" });
  const bytes = Buffer.from(reply.body);
  const size = reply.partBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) sink.write(bytes.subarray(at, at + size));
  sink.end();
  const text = Buffer.concat(passed).toString();
  return { ...caught, text, redactedBy };
}

const redactEmails: SafetyPolicy = {
  output: [{ id: "no-mail", action: "redact", match: { kind: "personal-data", kinds: ["email"] } }],
};
const refusePlans: SafetyPolicy = {
  output: [
    { id: "no-plans", action: "refuse", match: { kind: "pattern", pattern: "secret plan" } },
  ],
};

const frame = (data: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

function chatStream(deltas: readonly object[], finish = "stop"): string {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    frame({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta, finish_reason }],
    });
  return [
    chunk({ role: "assistant", content: "" }),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, finish),
    "data: [DONE]\n\n",
  ].join("");
}

function messagesStream(texts: readonly string[]): string {
  const named = (data: { type: string }) => frame(data, data.type);
  return [
    named({
      type: "message_start",
      message: { id: "m", content: [], usage: { input_tokens: 1, output_tokens: 1 } },
    } as never),
    named({
      type: "content_block_start",
      index: 0,
      content_block: { type: "text", text: "" },
    } as never),
    ...texts.map((text) =>
      named({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text },
      } as never),
    ),
    named({ type: "content_block_stop", index: 0 } as never),
    named({
      type: "message_delta",
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: 5 },
    } as never),
    named({ type: "message_stop" }),
  ].join("");
}

function responsesStream(texts: readonly string[]): string {
  let sequence = -1;
  const named = (data: { type: string; [field: string]: unknown }) => {
    sequence += 1;
    return frame({ ...data, sequence_number: sequence }, data.type);
  };
  const place = { item_id: "i", output_index: 0, content_index: 0 };
  const text = texts.join("");
  const item = {
    id: "i",
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text }],
  };
  return [
    named({ type: "response.created", response: { id: "r", status: "in_progress", output: [] } }),
    ...texts.map((delta) => named({ type: "response.output_text.delta", ...place, delta })),
    named({ type: "response.output_text.done", ...place, text }),
    named({ type: "response.output_item.done", output_index: 0, item }),
    named({
      type: "response.completed",
      response: { id: "r", status: "completed", output: [item] },
    }),
  ].join("");
}

interface Event {
  readonly type?: string;
  readonly delta?: string | { readonly text?: string };
  readonly choices?: readonly {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly sequence_number?: number;
}

function eventsOf(text: string): Event[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)) as Event);
}

/** All that a caller of a stream reads as text. */
function saidIn(text: string): string {
  return eventsOf(text)
    .map(({ delta, choices }) =>
      typeof delta === "string" ? delta : (delta?.text ?? choices?.[0]?.delta.content ?? ""),
    )
    .join("");
}

const event = "text/event-stream; charset=utf-8";
const streams: Readonly<Record<string, (texts: readonly string[]) => string>> = {
  chat: (texts) => chatStream(texts.map((content) => ({ content }))),
  messages: messagesStream,
  responses: responsesStream,
};
const surfaces = Object.keys(streams) as SurfaceName[];
const streamOf = (surface: SurfaceName, texts: readonly string[]) =>
  streams[surface]?.(texts) ?? "";

describe.each(surfaces)("a stream of %s", (surface) => {
  it("passes byte for byte where no rule has anything to take out", () => {
    const body = streamOf(surface, ["Hello ", "world. ", "Bye."]);
    const never: SafetyPolicy = {
      output: [{ id: "never", action: "redact", match: { kind: "pattern", pattern: "\\x00" } }],
    };
    expect(pass(surface, never, { type: event, body }).text).toBe(body);
  });

  it("loses what a rule takes out, wherever it and its bytes are cut", () => {
    const text = "Write to bob@example.com or to eve@example.com";
    check(
      property(
        integer({ min: 1, max: text.length }),
        constantFrom(1, 7, 64, 100_000),
        (size, partBytes) => {
          const texts = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
          const { text: passed, redactedBy } = pass(surface, redactEmails, {
            type: event,
            body: streamOf(surface, texts),
            partBytes,
          });
          expect(saidIn(passed)).toBe("Write to [redacted] or to [redacted]");
          expect(passed).not.toContain("example.com");
          expect(redactedBy).toEqual(["no-mail"]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("ends in the form of its dialect when a rule refuses, and nothing of the match passes", () => {
    const body = streamOf(surface, ["It is this: the sec", "ret pl", "an is to", " win"]);
    const { text, ended, refusedBy } = pass(surface, refusePlans, { type: event, body });
    expect(refusedBy).toBe("no-plans");
    expect(ended).toBe(true);
    expect(saidIn(text)).toBe("It is this: the ");
    expect(text).not.toContain("secret");
    const endings: Readonly<Record<string, RegExp>> = {
      chat: /"finish_reason":"content_filter"\}\]\}\n\ndata: \[DONE\]\n\n$/,
      messages:
        /"content_block_stop","index":0\}[^]*"stop_reason":"refusal"[^]*"type":"message_stop"\}\n\n$/,
      responses:
        /"status":"incomplete","output":\[\],"incomplete_details":\{"reason":"content_filter"\}/,
    };
    expect(text).toMatch(endings[surface] ?? /never/);
  });
});

describe("a field that is spelled with an escape", () => {
  // Of two objects of one shape, JSON.parse takes the second's key for the first's (decision 0019).
  const poison = String.raw`{"extra":0,"co\\u006":"begins alike"}`;
  const said = String.raw`{"extra":0,"co\u006etent":"Ask bob@example.com"}`;

  it("is held to the rules in a plain reply, whatever was read before", () => {
    const reply = (message: string): string =>
      `{"id":"c","choices":[{"index":0,"message":${message},"finish_reason":"stop"}]}`;
    pass("chat", redactEmails, { type: "application/json", body: reply(poison) });
    const { text } = pass("chat", redactEmails, { type: "application/json", body: reply(said) });
    expect(text).toContain("Ask [redacted]");
  });

  it("is held to the rules in a stream, whatever was read before", () => {
    const body = [poison, said].map(
      (delta) => `data: {"choices":[{"index":0,"delta":${delta}}]}\n\n`,
    );
    const { text } = pass("chat", redactEmails, { type: event, body: body.join("") });
    expect(text).toContain("[redacted]");
    expect(text).not.toContain("bob@example.com");
  });
});

describe("a stream", () => {
  it("is held to the rules however its data is set apart", () => {
    const chunk = { choices: [{ index: 0, delta: { content: "bob@example.com " } }] };
    const body = `data:\t ${JSON.stringify(chunk)}\n\ndata:[DONE]\n\n`;
    const { text } = pass("chat", redactEmails, { type: "text/event-stream", body });
    expect(text).toContain("[redacted]");
    expect(text).not.toContain("bob");
  });

  it("lets out what it held before the end, however that is written", () => {
    const chunk = { choices: [{ index: 0, delta: { content: "Write to bob" } }] };
    const body = `data:${JSON.stringify(chunk)}\n\ndata:[DONE]\n\n`;
    const { text } = pass("chat", redactEmails, { type: "text/event-stream", body });
    expect(text.indexOf("bob")).toBeGreaterThan(0);
    expect(text.indexOf("bob")).toBeLessThan(text.indexOf("[DONE]"));
  });

  it("of responses stays numbered without gaps", () => {
    const body = responsesStream(["to bob@", "example.com", " now"]);
    const events = eventsOf(pass("responses", redactEmails, { type: event, body }).text);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at));
  });

  it("that ends without the end of its text still says what was held back", () => {
    const body = chatStream([{ content: "ask bob@example" }]).replace(
      /data: [^\n]*"stop"[^\n]*\n\n/,
      "",
    );
    expect(saidIn(pass("chat", redactEmails, { type: event, body }).text)).toBe("ask bob@example");
  });

  it("keeps usage, roles and other fields where a text is left empty", () => {
    const { text } = pass("chat", redactEmails, {
      type: event,
      body: chatStream([{ content: "bob@example.com" }, { content: "!" }]),
    });
    const deltas = eventsOf(text).map(({ choices }) => choices?.[0]?.delta);
    expect(deltas).toEqual([{ role: "assistant", content: "" }, { content: "[redacted]!" }, {}]);
  });
});

describe("calls of tools", () => {
  const call = (index: number, name: string | undefined, said: string) => ({
    tool_calls: [
      {
        index,
        ...(name === undefined ? {} : { id: `c${index}`, type: "function" }),
        function: { ...(name === undefined ? {} : { name }), arguments: said },
      },
    ],
  });

  it("are refused beyond their number, or when the tool is not allowed, before they are seen", () => {
    const body = chatStream([call(0, "find", "{}"), call(1, "send", '{"a":1}')], "tool_calls");
    const two = pass("chat", { tools: { callCountMax: 1 } }, { type: event, body });
    expect(two.refusedBy).toBe("tools.callCountMax");
    expect(two.text).not.toContain("send");
    const forbidden = pass("chat", { tools: { allowed: ["find"] } }, { type: event, body });
    expect(forbidden.refusedBy).toBe("tools.allowed");
    expect(forbidden.text).not.toContain("send");
    expect(
      pass("chat", { tools: { allowed: ["find", "send"], callCountMax: 2 } }, { type: event, body })
        .text,
    ).toBe(body);
  });

  it("keep their arguments as they are, and are held against the rules that refuse", () => {
    const body = chatStream([
      call(0, "find", '{"mail":"bob@'),
      call(0, undefined, 'example.com"}'),
    ]);
    expect(pass("chat", redactEmails, { type: event, body }).text).toBe(body);
    const secret = chatStream([call(0, "find", '{"q":"secret '), call(0, undefined, 'plan"}')]);
    const refused = pass("chat", refusePlans, { type: event, body: secret });
    expect(refused.refusedBy).toBe("no-plans");
    expect(refused.text).not.toContain("secret");
  });
});

describe("escaped arguments of a call", () => {
  const words = String.raw`{"q":"\u0073ecret\u0020plan"}`;
  const named = (data: { readonly type: string }) => frame(data, data.type);
  const place = { item_id: "i", output_index: 0 };
  const replies: Readonly<Record<string, readonly [stream: string, plain: object]>> = {
    chat: [
      chatStream(
        words
          .split("")
          .map((said) => ({ tool_calls: [{ index: 0, function: { arguments: said } }] })),
      ),
      {
        choices: [
          { index: 0, message: { tool_calls: [{ function: { name: "f", arguments: words } }] } },
        ],
      },
    ],
    messages: [
      words
        .split("")
        .map((partial_json) => ({
          type: "content_block_delta",
          index: 0,
          delta: { type: "input_json_delta", partial_json },
        }))
        .map((data) => named(data))
        .join(""),
      { content: [{ type: "tool_use", name: "f", input: { q: "secret plan" } }] },
    ],
    responses: [
      words
        .split("")
        .map((delta) => ({ type: "response.function_call_arguments.delta", ...place, delta }))
        .map((data) => named(data))
        .join(""),
      { output: [{ type: "function_call", id: "i", name: "f", arguments: words }] },
    ],
  };

  it("are looked at where the block of a call begins with all of them", () => {
    const begun = (input: object) =>
      named({
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "t", name: "f", input },
      } as never);
    const body = begun({ q: "secret plan" });
    const refused = pass("messages", refusePlans, { type: event, body });
    expect([refused.refusedBy, refused.text.includes("secret")]).toEqual(["no-plans", false]);
    const fine = begun({ q: "public plan" });
    expect(pass("messages", refusePlans, { type: event, body: fine }).text).toBe(fine);
  });

  it.each(surfaces)("of %s are read as the tool will read them", (surface) => {
    const [stream = "", plain = {}] = replies[surface] ?? [];
    expect(pass(surface, refusePlans, { type: event, body: stream }).refusedBy).toBe("no-plans");
    const whole = { type: "application/json", body: JSON.stringify(plain) };
    expect(pass(surface, refusePlans, whole).refusedBy).toBe("no-plans");
  });
});

describe("a plain reply", () => {
  const json = "application/json";
  const chat = (message: object) =>
    JSON.stringify({
      id: "c",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: { total_tokens: 3 },
    });

  it("passes byte for byte, with its length, where no rule has anything to take out", () => {
    const body = `${chat({ role: "assistant", content: "Hello" })} `;
    const { text, head } = pass("chat", redactEmails, { type: json, body, partBytes: 5 });
    expect(text).toBe(body);
    expect(head).toMatchObject({ status: 200, "content-length": body.length, "x-request-id": "r" });
  });

  it.each([
    ["chat", chat({ role: "assistant", content: "to bob@example.com" })],
    [
      "messages",
      JSON.stringify({
        content: [{ type: "text", text: "to bob@example.com" }],
        stop_reason: "end_turn",
      }),
    ],
    [
      "responses",
      JSON.stringify({
        status: "completed",
        output: [
          { type: "message", content: [{ type: "output_text", text: "to bob@example.com" }] },
        ],
      }),
    ],
  ] as const)("of %s loses what a rule takes out", (surface, body) => {
    const { text, head } = pass(surface, redactEmails, { type: json, body });
    expect(JSON.parse(text)).toEqual(JSON.parse(body.replace("bob@example.com", "[redacted]")));
    expect(head["content-length"]).toBe(Buffer.byteLength(text));
  });

  it.each([
    ["chat", chat({ role: "assistant", content: "the secret plan" }), "content_filter"],
    [
      "messages",
      JSON.stringify({
        content: [{ type: "text", text: "the secret plan" }],
        stop_reason: "end_turn",
      }),
      "refusal",
    ],
    [
      "responses",
      JSON.stringify({
        status: "completed",
        output: [{ type: "message", content: [{ type: "output_text", text: "the secret plan" }] }],
      }),
      "content_filter",
    ],
  ] as const)("of %s is refused in its form", (surface, body, word) => {
    const { text, refusedBy } = pass(surface, refusePlans, { type: json, body });
    expect(refusedBy).toBe("no-plans");
    expect(text).not.toContain("secret");
    expect(text).toContain(word);
  });
});
