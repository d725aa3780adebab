import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { type Surface, translateRequest } from "./index.ts";
import { request } from "./test/exchange.ts";
import { chatConversation, messagesConversation } from "./test/fixtures.ts";

const hi = [{ role: "user", content: "Hi." }];

function refusal(from: Surface, to: Surface, body: object): PlatformError {
  try {
    request(from, to, { model: "m", ...body });
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error("the request was translated");
}

describe("chat requests for messages", () => {
  it("carries a whole conversation", () => {
    const { body, losses, context } = request("chat", "messages", chatConversation);
    const { messages, ...rest } = messagesConversation;
    expect({ ...body, messages: undefined }).toEqual({
      ...rest,
      model: "upstream",
      messages: undefined,
    });
    expect(body.messages[0]).toEqual(messages[0]);
    expect(body.messages[2]).toEqual(messages[2]);
    expect(losses).toEqual([]);
    expect(context).toMatchObject({ stream: true, asksForUsage: true });
  });

  it("passes arguments whole, with all their digits", () => {
    const plan = {
      from: "chat",
      to: "messages",
      model: "u",
      maxTokensDefault: 1,
      tokenLimitField: "max_completion_tokens",
      nowSeconds: 0,
    } as const;
    const { body } = translateRequest(plan, Buffer.from(JSON.stringify(chatConversation)));
    expect(body.toString()).toContain('"input":{"at":"sky","id":12345678901234567890}');
  });

  it("gives a limit where none was given, and clamps the temperature", () => {
    const { body, losses } = request("chat", "messages", {
      model: "m",
      messages: hi,
      temperature: 1.7,
    });
    expect(body).toMatchObject({ max_tokens: 4_096, temperature: 1 });
    expect(losses).toEqual(["/temperature: sent as 1, the highest of messages"]);
  });

  it("names what it leaves out, a place for each kind of loss", () => {
    const part = { type: "text", text: "Hi.", cache_control: { type: "ephemeral" } };
    const { losses } = request("chat", "messages", {
      model: "m",
      messages: [{ role: "user", name: "ann", content: [part, part] }],
      logit_bias: { 7: -100 },
      seed: 1,
      n: 1,
      store: false,
      made_up: true,
      "odd/name": 1,
    });
    expect(losses).toEqual([
      "/logit_bias: the other surfaces have no such parameter",
      "/seed: the other surfaces have no such parameter",
      "/made_up: not a field of chat completions that is known here",
      "/odd~1name: not a field of chat completions that is known here",
      "/messages/0/name: messages have no names there",
      "/messages/0/content/0/cache_control: marks of the prompt cache are not carried (2 places)",
    ]);
  });

  it("refuses what it cannot leave out, with the place", () => {
    const cases: readonly [object, string][] = [
      [{ messages: hi, n: 2 }, "/n"],
      [{ messages: hi, response_format: { type: "json_object" } }, "/response_format"],
      [{ messages: hi, modalities: ["text", "audio"] }, "/modalities"],
      [{ messages: hi, web_search_options: {} }, "/web_search_options"],
      [{ messages: hi, tools: [{ type: "custom", custom: { name: "x" } }] }, "/tools/0/custom"],
      [{ messages: [...hi, { role: "assistant", content: "Well," }] }, "/messages/1"],
      [
        { messages: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }] },
        "/messages/0/content/0",
      ],
      [
        { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "f" } }] }] },
        "/messages/0/content/0/file/file_id",
      ],
    ];
    for (const [body, where] of cases) {
      expect(refusal("chat", "messages", body)).toMatchObject({
        code: "translation_unsupported",
        where,
      });
    }
  });

  it("refuses bodies that are no chat request, with the place", () => {
    const cases: readonly [object, string][] = [
      [{}, "/messages"],
      [{ messages: [{ role: "robot", content: "" }] }, "/messages/0/role"],
      [{ messages: [{ role: "user", content: 7 }] }, "/messages/0/content"],
      [{ messages: hi, temperature: "hot" }, "/temperature"],
      [{ messages: hi, tool_choice: "maybe" }, "/tool_choice"],
    ];
    for (const [body, where] of cases) {
      expect(refusal("chat", "messages", body)).toMatchObject({ code: "request_invalid", where });
    }
  });

  it("keeps reasoning that came with its signature, and reports the one without", () => {
    const signed = [
      { type: "reasoning.text", text: "Hm.", signature: "sig", format: "anthropic-claude-v1" },
    ];
    const { body, losses } = request("chat", "messages", {
      model: "m",
      messages: [
        ...hi,
        { role: "assistant", content: "A", reasoning_content: "Hm.", reasoning_details: signed },
        ...hi,
        { role: "assistant", content: "B", reasoning_content: "Ho." },
        ...hi,
      ],
    });
    expect(body.messages[1].content).toEqual([
      { type: "thinking", thinking: "Hm.", signature: "sig" },
      { type: "text", text: "A" },
    ]);
    expect(body.messages[3].content).toBe("B");
    expect(losses).toEqual([
      "/messages/3/reasoning_content: messages takes reasoning back only with a signature of its own",
    ]);
  });

  it("refuses arguments that are no JSON object, or nested too deep to be read", () => {
    for (const args of ["[1]", "{", "text", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`]) {
      const call = { id: "c", type: "function", function: { name: "look", arguments: args } };
      const messages = [...hi, { role: "assistant", tool_calls: [call] }, ...hi];
      expect(refusal("chat", "messages", { messages })).toMatchObject({
        code: "translation_unsupported",
        where: "/messages/1/tool_calls/0",
      });
    }
  });

  it("asks for a strict schema where the caller does, and says where it cannot be anything else", () => {
    const asked = (strict: boolean | undefined): object => ({ name: "a", schema: {}, strict });
    const chat = (strict?: boolean): object => ({
      messages: hi,
      response_format: { type: "json_schema", json_schema: asked(strict) },
    });
    const responses = (strict?: boolean): object => ({
      input: hi,
      text: { format: { type: "json_schema", ...asked(strict) } },
    });
    for (const strict of [true, false, undefined]) {
      const toResponses = request("chat", "responses", { model: "m", ...chat(strict) });
      expect(toResponses.body.text.format.strict).toBe(strict);
      const toChat = request("responses", "chat", { model: "m", ...responses(strict) });
      expect(toChat.body.response_format.json_schema.strict).toBe(strict);
    }
    const lossesOf = (strict: boolean): readonly string[] =>
      request("chat", "messages", { model: "m", ...chat(strict) }).losses;
    expect(lossesOf(true)).toEqual([expect.stringContaining("/name: ")]);
    expect(lossesOf(false)).toContainEqual(expect.stringContaining("/strict: "));
  });

  it("makes ids fit, the same for a call and its result", () => {
    const { body } = request("chat", "messages", {
      model: "m",
      messages: [
        ...hi,
        {
          role: "assistant",
          tool_calls: [
            { id: "functions.look:0", type: "function", function: { name: "look", arguments: "" } },
          ],
        },
        { role: "tool", tool_call_id: "functions.look:0", content: "" },
      ],
    });
    const { id } = body.messages[1].content[0];
    expect(id).toMatch(/^functions_look_0_[0-9a-f]{12}$/);
    expect(body.messages[1].content[0].input).toEqual({});
    expect(body.messages[2].content).toEqual([{ type: "tool_result", tool_use_id: id }]);
  });

  it("sends only the tools that the choice allows", () => {
    const tool = (name: string): object => ({ type: "function", function: { name } });
    const { body } = request("chat", "messages", {
      model: "m",
      messages: hi,
      tools: [tool("a"), tool("b")],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [tool("b")] },
      },
    });
    expect(body.tools).toEqual([{ name: "b", input_schema: { type: "object", properties: {} } }]);
    expect(body.tool_choice).toEqual({ type: "any" });
  });
});

describe("messages requests for chat", () => {
  it("carries a whole conversation", () => {
    const { body, losses } = request("messages", "chat", messagesConversation);
    const expected = JSON.parse(
      JSON.stringify(chatConversation).replace(',\\"id\\":12345678901234567890', ""),
    );
    expect(body).toEqual({ ...expected, model: "upstream" });
    expect(losses).toEqual([]);
  });

  it("turns a budget into the nearest effort, and says so", () => {
    const of = (thinking: object): unknown => {
      const { body, losses } = request("messages", "chat", {
        model: "m",
        messages: hi,
        max_tokens: 9,
        thinking,
      });
      return [body.reasoning_effort, losses.length];
    };
    expect(of({ type: "enabled", budget_tokens: 1_024 })).toEqual(["low", 1]);
    expect(of({ type: "enabled", budget_tokens: 10_000 })).toEqual(["medium", 1]);
    expect(of({ type: "enabled", budget_tokens: 32_000 })).toEqual(["high", 1]);
    expect(of({ type: "disabled" })).toEqual(["none", 0]);
    expect(of({ type: "adaptive" })).toEqual([undefined, 0]);
  });

  it("moves images of results behind the results, and says so", () => {
    const image = { type: "image", source: { type: "url", url: "https://example.test/a.png" } };
    const result = (id: string): object => ({
      type: "tool_result",
      tool_use_id: id,
      content: [{ type: "text", text: id }, image],
      is_error: true,
    });
    const use = (id: string): object => ({ type: "tool_use", id, name: "look", input: {} });
    const { body, losses } = request("messages", "chat", {
      model: "m",
      max_tokens: 9,
      messages: [
        ...hi,
        { role: "assistant", content: [use("a"), use("b")] },
        { role: "user", content: [result("a"), result("b")] },
      ],
    });
    expect(body.messages.slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "a" },
      { role: "tool", tool_call_id: "b", content: "b" },
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "https://example.test/a.png" } },
          { type: "image_url", image_url: { url: "https://example.test/a.png" } },
        ],
      },
    ]);
    expect(losses).toEqual([
      "/messages/2/content/0/is_error: results have no mark of failure there (2 places)",
      "/messages/2/content/0/content: moved to a user message behind the results, which hold text only (2 places)",
    ]);
  });

  it("refuses hosted tools, files of the provider, servers and prefilled answers", () => {
    const user = (block: object): object => ({
      max_tokens: 9,
      messages: [{ role: "user", content: [block] }],
    });
    const cases: readonly [object, string][] = [
      [
        { messages: hi, tools: [{ type: "web_search_20250305", name: "web_search" }] },
        "/tools/0/type",
      ],
      [{ messages: hi, mcp_servers: [{ url: "https://example.test" }] }, "/mcp_servers"],
      [{ messages: hi, container: "c" }, "/container"],
      [{ messages: [...hi, { role: "assistant", content: "The" }] }, "/messages/1"],
      [
        user({ type: "image", source: { type: "file", file_id: "f" } }),
        "/messages/0/content/0/source/file_id",
      ],
      [
        user({ type: "search_result", source: "s", title: "t", content: [] }),
        "/messages/0/content/0",
      ],
      [
        user({ type: "document", source: { type: "url", url: "https://example.test/a.pdf" } }),
        "/messages/0/content/0",
      ],
    ];
    for (const [body, where] of cases) {
      expect(refusal("messages", "chat", body)).toMatchObject({
        code: "translation_unsupported",
        where,
      });
    }
  });

  it("shortens names that are too long there, and turns them back in the reply's context", () => {
    const name = `mcp__${"server".repeat(12)}__look`;
    const { body, context } = request("messages", "chat", {
      model: "m",
      max_tokens: 9,
      messages: hi,
      tools: [{ name, input_schema: { type: "object" } }],
      tool_choice: { type: "tool", name },
    });
    const fitting = body.tools[0].function.name;
    expect(fitting).toHaveLength(64);
    expect(body.tool_choice.function.name).toBe(fitting);
    expect(context.toolNames.get(fitting)).toBe(name);
  });
});
