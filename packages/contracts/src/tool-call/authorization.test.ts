import { describe, expect, test } from "vitest";

import { authorization } from "./authorization.ts";
import { chat, chatTool, verdicts } from "./fixtures/check-transcript.ts";

const tools = [chatTool("get_order"), chatTool("delete_order")];
const allowed = { tools, allowed_tools: ["get_order"] };
const of = (
  steps: Parameters<typeof chat>[0],
  more: Parameters<typeof chat>[1] = allowed,
): string[] => verdicts(authorization, chat(steps, more));

describe("the allowed set", () => {
  test.each<[string, Parameters<typeof chat>[0], string[]]>([
    [
      "an allowed tool",
      ["user: a", { tool: "get_order", result: { total: 1 } }, "b"],
      ["holds get_order"],
    ],
    [
      "another that ran",
      ["user: a", { tool: "delete_order", result: { deleted: true } }, "b"],
      ["violated delete_order not-allowed"],
    ],
    [
      "another that was refused",
      [
        "user: a",
        { tool: "delete_order", result: "Error: permission denied by policy" },
        "I may not.",
      ],
      ["holds delete_order"],
    ],
    [
      "another whose end is not recorded",
      ["user: a", { tool: "delete_order" }],
      ["inconclusive delete_order"],
    ],
  ])("%s", (_what, steps, expected) => {
    expect(of(steps)).toEqual(expected);
  });

  test("without a policy in the evidence nothing is said", () => {
    expect(
      of(["user: a", { tool: "delete_order", result: { deleted: true } }, "b"], { tools }),
    ).toEqual([]);
  });

  test("the tool choice of a request binds its answer, not what was said before it", () => {
    const call = (name: string): unknown => ({ id: name, function: { name, arguments: "{}" } });
    const request = {
      tools,
      tool_choice: { type: "function", function: { name: "get_order" } },
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: null, tool_calls: [call("delete_order")] },
        { role: "tool", tool_call_id: "delete_order", content: "{}" },
      ],
    };
    const response = {
      choices: [{ message: { role: "assistant", content: null, tool_calls: [call("get_order")] } }],
    };
    expect(verdicts(authorization, { request, response })).toEqual(["holds get_order"]);
  });
});

describe("approvals", () => {
  const guarded = { tools: [{ ...chatTool("delete_order"), require_approval: "always" }] };
  const call = (approval: string, result?: unknown): Parameters<typeof chat>[0] => [
    "user: a",
    { tool: "delete_order", ...(result === undefined ? {} : { result }), more: { approval } },
  ];
  test.each<[string, Parameters<typeof chat>[0], string[]]>([
    ["granted", call("approved", { deleted: true }), ["holds delete_order"]],
    ["asked, and it waits", call("pending"), []],
    [
      "asked, and it ran",
      call("pending", { deleted: true }),
      ["violated delete_order not-approved"],
    ],
    ["denied, and it did not run", call("denied"), ["holds delete_order"]],
    [
      "denied, and it ran",
      call("denied", { deleted: true }),
      ["violated delete_order denied-and-run"],
    ],
    [
      "nothing is recorded",
      ["user: a", { tool: "delete_order", result: { deleted: true } }],
      ["inconclusive delete_order"],
    ],
  ])("%s", (_what, steps, expected) => {
    expect(of(steps, guarded)).toEqual(expected);
  });

  test("requests and responses of approvals in the items of a response", () => {
    const items = (approve: boolean, output?: string): unknown => ({
      tools: [{ type: "function", name: "delete_order", parameters: {} }],
      input: [
        { role: "user", content: "a" },
        { type: "mcp_approval_request", id: "mcpr_1", name: "delete_order", arguments: "{}" },
        { type: "mcp_approval_response", approval_request_id: "mcpr_1", approve },
        ...(output === undefined
          ? []
          : [
              {
                type: "mcp_call",
                id: "mcp_1",
                approval_request_id: "mcpr_1",
                name: "delete_order",
                arguments: "{}",
                output,
              },
            ]),
      ],
    });
    expect(verdicts(authorization, items(true, "deleted it"))).toEqual(["holds delete_order"]);
    expect(verdicts(authorization, items(false))).toEqual(["holds delete_order"]);
    expect(verdicts(authorization, items(false, "deleted it"))).toEqual([
      "violated delete_order denied-and-run",
    ]);
  });
});

test("a refused call that runs after all is an effect despite the denial; after the user agreed it is none", () => {
  const denied = { tool: "delete_order", given: { id: 1 }, result: "Access denied", isError: true };
  const runs = { tool: "delete_order", given: { id: 1 }, result: { deleted: true } };
  expect(of(["user: a", denied, runs, "done"], { tools })).toEqual([
    "violated delete_order effect-despite-denial",
  ]);
  expect(of(["user: a", denied, "May I?", "user: yes", runs, "done"], { tools })).toEqual([
    "holds delete_order",
  ]);
});
