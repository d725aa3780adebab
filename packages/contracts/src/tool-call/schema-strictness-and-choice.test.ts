import { describe, expect, test } from "vitest";

import { chat, chatTool, verdicts } from "./fixtures/check-transcript.ts";
import { schemaStrictness } from "./schema-strictness.ts";
import { toolChoice } from "./tool-choice.ts";

type Steps = Parameters<typeof chat>[0];

describe("schemas that check something and can be met", () => {
  const of = (schema: unknown, given: unknown = { a: 1 }): string[] =>
    verdicts(
      schemaStrictness,
      chat(["user: a", { tool: "t", given, result: "ok" }, "b"], {
        tools: [{ type: "function", function: { name: "t", parameters: schema } }],
      }),
    );
  const object = (a: unknown, more = {}): unknown => ({
    type: "object",
    properties: { a },
    ...more,
  });
  test.each<[string, unknown, string[]]>([
    ["a described field", object({ type: "integer" }), ["holds t"]],
    ["no fields, and it is called with some", { type: "object" }, ["violated t checks-nothing"]],
    [
      "everything allowed",
      { type: "object", properties: {}, additionalProperties: true },
      ["violated t checks-nothing"],
    ],
    [
      "a bag of anything",
      object({ type: "object", description: "payload" }),
      ["violated t checks-nothing"],
    ],
    ["an enum of another type", object({ type: "integer", enum: ["1", "2"] }), ["inconclusive t"]],
    [
      "an enum on a list that is meant for its items",
      object({ type: "array", items: { type: "string" }, enum: ["x", "y"] }),
      ["inconclusive t"],
    ],
    [
      "an enum on a list whose values are lists",
      object({ type: "array", enum: [["x"], ["y"]] }),
      ["holds t"],
    ],
    [
      "bounds that cross",
      object({ type: "integer", minimum: 5, maximum: 1 }),
      ["violated t empty-range"],
    ],
    [
      "what it requires it forbids",
      object({ type: "integer" }, { required: ["b"], additionalProperties: false }),
      ["violated t requires-what-it-forbids"],
    ],
    [
      "values in words only",
      object({ type: "string", description: "Must be one of: open, closed" }),
      ["inconclusive t"],
    ],
    [
      "examples in words",
      object({ type: "string", description: "A city, e.g. Rome or Oslo" }),
      ["holds t"],
    ],
    [
      "another dialect",
      { type: "dict", properties: { a: { type: "float" } }, required: ["a"] },
      ["holds t"],
    ],
  ])("%s", (_what, schema, expected) => {
    expect(of(schema)).toEqual(expected);
  });

  test("a tool that takes nothing needs no fields", () => {
    expect(of({ type: "object", properties: {} }, {})).toEqual([]);
  });

  test("two tools of one name collide; the same tool twice does not", () => {
    const steps: Steps = ["user: a", "b"];
    const one = chatTool("get_item", { id: { type: "string" } });
    expect(
      verdicts(
        schemaStrictness,
        chat(steps, { tools: [one, chatTool("get_item", { name: { type: "string" } })] }),
      ),
    ).toEqual(["violated get_item colliding-names"]);
    expect(
      verdicts(
        schemaStrictness,
        chat(steps, { tools: [one, chatTool("get.item", { id: { type: "string" } })] }),
      ),
    ).toEqual(["violated get.item colliding-names"]);
    expect(verdicts(schemaStrictness, chat(steps, { tools: [one, one] }))).toEqual([]);
  });
});

describe("the choice of tools", () => {
  const text = { type: "string" };
  const tools = [
    chatTool("get_user", { user_id: text, email: text }),
    chatTool("find_customers", { name: text }),
    chatTool("delete_customer", { id: text }),
    chatTool("cancel_order", { id: text }),
    chatTool("close_account", { id: text }),
  ];
  const of = (steps: Steps): string[] => verdicts(toolChoice, chat(steps, { tools }));
  const found = {
    tool: "find_customers",
    given: { name: "Smith" },
    result: [
      { id: "c-1", name: "Smith", city: "Rome" },
      { id: "c-2", name: "Smith", city: "Oslo" },
    ],
  };
  const remove = { tool: "delete_customer", given: { id: "c-2" }, result: { deleted: true } };
  test.each<[string, Steps, string[]]>([
    [
      "a placeholder for what is required",
      [
        "user: show my account",
        { tool: "get_user", given: { user_id: "<user_id>", email: "a" }, result: "?" },
        "x",
      ],
      ["violated get_user made-up /user_id"],
    ],
    [
      "an example's address",
      [
        "user: show my account",
        { tool: "get_user", given: { user_id: "7", email: "john.doe@example.com" }, result: "?" },
        "x",
      ],
      ["violated get_user made-up /email"],
    ],
    [
      "an example's number that the tool does not know",
      [
        "user: cancel my order",
        { tool: "cancel_order", given: { id: "ORD-12345" }, result: "Error: no such order" },
        "x",
      ],
      ["violated cancel_order made-up /id"],
    ],
    [
      "an example's number that the tool knows",
      [
        "user: cancel my order",
        { tool: "cancel_order", given: { id: "ORD-12345" }, result: { total: 4, cancelled: true } },
        "x",
      ],
      [],
    ],
    [
      "an example's address that the user gave",
      [
        "user: I am john.doe@example.com",
        { tool: "get_user", given: { user_id: "7", email: "john.doe@example.com" }, result: "?" },
        "x",
      ],
      [],
    ],
    [
      "one of two that fit",
      ["user: delete the customer Smith", found, remove, "Deleted."],
      ["violated delete_customer no-clarification"],
    ],
    [
      "the one that the user meant",
      ["user: delete the customer Smith in Oslo", found, remove, "Deleted."],
      [],
    ],
    [
      "after a question",
      [
        "user: delete the customer Smith",
        found,
        "Which one, Rome or Oslo?",
        "user: Oslo",
        remove,
        "Deleted.",
      ],
      [],
    ],
    [
      "all of them",
      [
        "user: delete all customers named Smith",
        found,
        remove,
        { ...remove, given: { id: "c-1" } },
        "Deleted.",
      ],
      [],
    ],
    [
      "another tool than the one that was named",
      [
        "user: please cancel order 7712",
        { tool: "close_account", given: { id: "7712" }, result: { ok: true } },
        "x",
      ],
      ["inconclusive close_account"],
    ],
    [
      "the tool that was named",
      [
        "user: please cancel order 7712",
        { tool: "cancel_order", given: { id: "7712" }, result: { ok: true } },
        "x",
      ],
      [],
    ],
  ])("%s", (_what, steps, expected) => {
    expect(of(steps)).toEqual(expected);
  });
});

test("a model that has to call one tool cannot ask back", () => {
  const call = (choice: unknown): string[] =>
    verdicts(toolChoice, {
      request: {
        tools: [chatTool("create_person", { name: { type: "string" } })],
        tool_choice: choice,
        messages: [{ role: "user", content: "create somebody" }],
      },
      response: {
        choices: [
          {
            message: {
              role: "assistant",
              content: null,
              tool_calls: [
                {
                  id: "c1",
                  type: "function",
                  function: { name: "create_person", arguments: '{"name":"John Doe"}' },
                },
              ],
            },
          },
        ],
      },
    });
  expect(call({ type: "function", function: { name: "create_person" } })).toEqual([]);
  expect(call("auto")).toEqual(["violated create_person made-up /name"]);
});
