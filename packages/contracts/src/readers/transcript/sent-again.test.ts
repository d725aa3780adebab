/** Requests that send a conversation again in other words than those in which it was recorded. */

import { describe, expect, it } from "vitest";
import { readTranscripts } from "./read-transcript.ts";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", name: "forecast", parameters: schema }];
const geminiTools = [{ functionDeclarations: [{ name: "forecast", parameters: schema }] }];
const ask = { role: "user", content: "Rain in Bergen?" };

function turnsOf(...exchanges: readonly unknown[]): readonly (readonly string[])[] {
  return readTranscripts([exchanges]).transcripts.map((turns) =>
    turns.map(({ role, text, calls, results }) =>
      [
        role,
        text ?? "",
        ...calls.map(({ callId, name }) => `${name}#${callId ?? ""}`),
        ...results.map(({ callId, content }) => `${JSON.stringify(content)}#${callId ?? ""}`),
      ].join("|"),
    ),
  );
}

const call = {
  type: "function_call",
  call_id: "c1",
  name: "forecast",
  arguments: '{"city":"Bergen"}',
};
const answer = { type: "function_call_output", call_id: "c1", output: "wet" };
const said = {
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text: "It rains." }],
};

describe("a conversation that is sent again", () => {
  it("is one with the history in which an empty turn was put", () => {
    const [turns, other] = turnsOf(
      { request: { input: [ask], tools }, response: { output: [call] } },
      {
        request: { input: [ask, { role: "assistant", content: "" }, call, answer], tools },
        response: { output: [said] },
      },
    );
    expect(other).toBeUndefined();
    expect(turns).toEqual([
      "user|Rain in Bergen?",
      "assistant||forecast#c1",
      'tool||"wet"#c1',
      "assistant|It rains.",
    ]);
  });

  it("takes the ids that a sender gave to calls which came without any", () => {
    const part = { functionCall: { name: "forecast", args: { city: "Bergen" } } };
    const named = { functionCall: { ...part.functionCall, id: "own-1" } };
    const result = { id: "own-1", name: "forecast", response: { sky: "wet" } };
    const prompt = { role: "user", parts: [{ text: "Rain in Bergen?" }] };
    const [turns, other] = turnsOf(
      {
        request: { contents: [prompt], tools: geminiTools },
        response: { candidates: [{ content: { role: "model", parts: [part] } }] },
      },
      {
        request: {
          contents: [
            prompt,
            { role: "model", parts: [named] },
            { role: "user", parts: [{ functionResponse: result }] },
          ],
          tools: geminiTools,
        },
        response: { candidates: [{ content: { role: "model", parts: [{ text: "It rains." }] } }] },
      },
    );
    expect(other).toBeUndefined();
    expect(turns).toEqual([
      "user|Rain in Bergen?",
      "assistant||forecast#own-1",
      'user||{"sky":"wet"}#own-1',
      "assistant|It rains.",
    ]);
  });

  it("is not another one whose calls have the same ids, as servers that count from the first give", () => {
    const talk = (city: string, id: string) => {
      const asked = { role: "user", content: `Rain in ${city}?` };
      const given = { ...call, call_id: id, arguments: JSON.stringify({ city }) };
      const told = { ...answer, call_id: id, output: city };
      return {
        first: { request: { input: [asked], tools }, response: { output: [given] } },
        second: { request: { input: [asked, given, told], tools }, response: { output: [said] } },
      };
    };
    const [bergen, oslo] = [talk("Bergen", "call_0"), talk("Oslo", "call_0")];
    const found = turnsOf(bergen.first, oslo.first, oslo.second, bergen.second);
    expect(found).toEqual(
      ["Bergen", "Oslo"].map((city) => [
        `user|Rain in ${city}?`,
        "assistant||forecast#call_0",
        `tool||"${city}"#call_0`,
        "assistant|It rains.",
      ]),
    );
  });

  it("goes on after the last known calls where its beginning was rewritten", () => {
    const [turns, other] = turnsOf(
      { request: { input: [ask], tools }, response: { output: [call] } },
      {
        request: { input: [{ role: "user", content: "(shortened)" }, call, answer], tools },
        response: { output: [said] },
      },
    );
    expect(other).toBeUndefined();
    expect(turns?.filter((turn) => turn.includes("forecast"))).toHaveLength(1);
    expect(turns?.at(-1)).toBe("assistant|It rains.");
  });

  it("is another one where it begins anew with the same words", () => {
    const conversations = turnsOf(
      { request: { input: [ask], tools }, response: { output: [said] } },
      { request: { input: [ask], tools }, response: { output: [call] } },
      { request: { input: [ask, call, answer], tools }, response: { output: [said] } },
    );
    expect(conversations.map(({ length }) => length)).toEqual([2, 4]);
  });
});

describe("an agent that reasons and acts in its text", () => {
  const step = 'Thought: look\nAction: forecast\nAction Input: {"city": "Bergen"}';

  it("is told what it observed by a message of its own", () => {
    const [turns] = turnsOf({
      request: { messages: [ask, { role: "assistant", content: step }] },
      response: { message: { role: "user", content: "Observation: wet" } },
    });
    expect(turns?.slice(1)).toEqual([
      "assistant|Thought: look|forecast#",
      'user|Observation: wet|"wet"#',
    ]);
  });

  it("is told so behind what it said", () => {
    const [turns, other] = turnsOf(
      { request: { messages: [ask] }, response: { message: { role: "assistant", content: step } } },
      {
        request: { messages: [ask, { role: "assistant", content: `${step}\nObservation: wet` }] },
        response: { message: { role: "assistant", content: "Final Answer: it rains" } },
      },
    );
    expect(other).toBeUndefined();
    expect(turns).toEqual([
      "user|Rain in Bergen?",
      'assistant|Thought: look|forecast#|"wet"#',
      "assistant|Final Answer: it rains",
    ]);
  });

  it("takes many steps in one text", () => {
    const text = `${step}\nObservation: wet\n${step.replace("Bergen", "Oslo")}\nObservation: dry\nFinal Answer: go`;
    const { transcripts } = readTranscripts([
      { messages: [ask, { role: "assistant", content: text }] },
    ]);
    const turn = transcripts[0]?.at(-1);
    expect(turn?.calls.map((made) => made.arguments)).toEqual([
      { city: "Bergen" },
      { city: "Oslo" },
    ]);
    expect(turn?.results.map(({ content }) => content)).toHaveLength(2);
  });
});

describe("tools of a conversation", () => {
  it("are not known for the history that the first request brings, but for its answer", () => {
    const { transcripts } = readTranscripts([
      {
        request: { input: [ask, call, answer, { role: "user", content: "And?" }], tools: [] },
        response: { output: [{ ...call, call_id: "c2" }] },
      },
    ]);
    const made = transcripts[0]?.filter(({ calls }) => calls.length > 0) ?? [];
    expect(made.map(({ areToolsPartial }) => areToolsPartial === true)).toEqual([true, false]);
  });

  it("are added to those of the request where a search or a server brings them", () => {
    const found = { type: "tool_search_output", tools: [{ type: "function", name: "late" }] };
    const { transcripts } = readTranscripts([
      { request: { input: [ask, found], tools }, response: { output: [call] } },
    ]);
    expect(transcripts[0]?.at(-1)?.tools?.map(({ name }) => name)).toEqual(["forecast", "late"]);
  });

  it("are known beside what a provider runs, which no call names", () => {
    const hosted = [{ type: "image_generation" }, { googleSearch: {} }, { type: "mcp" }];
    const known = [hosted.slice(0, 2), hosted].map((others) => {
      const { transcripts } = readTranscripts([
        { request: { input: [ask], tools: [...tools, ...others] }, response: { output: [call] } },
      ]);
      return transcripts[0]?.at(-1)?.areToolsPartial !== true;
    });
    expect(known).toEqual([true, false]);
  });

  it("hold what the provider ran itself", () => {
    const { transcripts } = readTranscripts([
      {
        tools: [{ type: "code_execution_20250825", name: "code_execution" }],
        messages: [
          { role: "user", content: "sum?" },
          {
            role: "assistant",
            content: [
              { type: "server_tool_use", id: "s1", name: "bash_code_execution", input: {} },
              { type: "bash_code_execution_tool_result", tool_use_id: "s1", content: {} },
            ],
          },
        ],
      },
    ]);
    const turn = transcripts[0]?.at(-1);
    expect(turn?.tools?.map(({ name }) => name)).toEqual(["code_execution", "bash_code_execution"]);
    expect(turn?.results.map(({ callId }) => callId)).toEqual(["s1"]);
  });
});

describe("an answer that was streamed", () => {
  it("is read from the text of a response's body", () => {
    const piece = (text: string): string =>
      `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"${text}"}]}}]}\r\n\r\n`;
    const [turns] = turnsOf({
      request: { body: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] } },
      response: { status: 200, body: piece("Good ") + piece("day") },
    });
    expect(turns).toEqual(["user|Hi", "assistant|Good day"]);
  });

  it("is the first of several answers to one request", () => {
    const chunk = (index: number): string =>
      `data: ${JSON.stringify({ object: "chat.completion.chunk", choices: [{ index, delta: { tool_calls: [{ index: 0, id: `c${index}`, function: { name: "forecast", arguments: "{}" } }] } }] })}\n\n`;
    const [turns] = turnsOf({
      request: { body: { messages: [ask] } },
      response: { body: chunk(0) + chunk(1) },
    });
    expect(turns?.at(-1)).toBe("assistant||forecast#c0");
  });
});
