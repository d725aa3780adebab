import { describe, expect, test } from "vitest";

import type { TranscriptTurn } from "../../model/evidence.ts";
import { readTranscript } from "./read-transcript.ts";

const turnsOf = (value: unknown): TranscriptTurn[] => readTranscript(value).turns;
const tool = { name: "weather", parameters: { type: "object", properties: {} } };

describe("records with answers to choose from", () => {
  const record = {
    question: "weather in Rome?",
    tools: [JSON.stringify(tool)],
    answers: {
      direct: "I do not know.",
      tool_call: '{"name": "weather", "arguments": {"city": "Rome"}}',
    },
  };

  test("have the call that is right", () => {
    const [, answer] = turnsOf({ ...record, correct_answer: "tool_call" });
    expect(answer?.calls).toMatchObject([{ name: "weather", arguments: { city: "Rome" } }]);
  });

  test("have no call where words are right", () => {
    expect(turnsOf({ ...record, correct_answer: "direct" }).flatMap(({ calls }) => calls)).toEqual(
      [],
    );
  });
});

test("of a search the longest talk is read, with the functions that it had", () => {
  const talk = [
    { role: "user", content: "weather?" },
    { role: "assistant", content: "", function_call: { name: "weather", arguments: "{}" } },
    { role: "function", name: "weather", content: "sunny" },
  ];
  const turns = turnsOf({
    win: true,
    tree: { tree: { node_type: "Action" } },
    answer_generation: { function: [tool], train_messages: [talk.slice(0, 2), talk] },
  });
  expect(turns.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(turns[1]).toMatchObject({ calls: [{ name: "weather" }], tools: [{ name: "weather" }] });
});

describe("results of several calls in one message", () => {
  const talk = (content: string): unknown => ({
    messages: [
      { role: "user", content: "weather?" },
      { role: "assistant", content: '[Weather Now(city="Rome"), Air(city="Rome")]' },
      { role: "tool", content },
    ],
  });
  test("are told apart by the names of their tools", () => {
    const list = ["Weather Now", "Air"].map((name) => ({ name, results: { of: name } }));
    const [, asked, answered] = turnsOf(talk(JSON.stringify(list)));
    expect(asked?.calls.map(({ name }) => name)).toEqual(["Weather Now", "Air"]);
    expect(answered?.results).toMatchObject([
      { name: "Weather Now", content: { of: "Weather Now" } },
      { name: "Air", content: { of: "Air" } },
    ]);
  });

  test("are one result where the list is about things with names", () => {
    const list = ["Rome", "Bari"].map((name) => ({ name, sky: "clear" }));
    expect(turnsOf(talk(JSON.stringify(list)))[2]?.results).toHaveLength(1);
  });
});

test("a list without tools does not hide those of the prompt", () => {
  const [, , answer] = turnsOf({
    tools: "[]",
    messages: [
      { role: "system", content: `You may call these: ${JSON.stringify([tool])}` },
      { role: "user", content: "weather?" },
      { role: "assistant", content: "It is sunny." },
    ],
  });
  expect(answer?.tools).toMatchObject([{ name: "weather" }]);
});
