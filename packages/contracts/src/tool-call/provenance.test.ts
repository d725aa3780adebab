import { describe, expect, test } from "vitest";

import { chat, chatTool, checkTranscript, verdicts } from "./fixtures/check-transcript.ts";
import { provenance } from "./provenance.ts";

const id = { type: "string" };
const tools = [
  chatTool("get_order", { order_id: id }),
  chatTool("create_order", { order_id: id, idempotency_key: id }),
  chatTool("get_user", { user_id: id, email: id }),
  chatTool("get_weather", { city: id, date: id }),
  chatTool("list_orders", { customer: id }),
];
const of = (steps: Parameters<typeof chat>[0], more = {}): string[] =>
  verdicts(provenance, chat(steps, { tools, ...more }));
const get = (order: unknown): { tool: string; given: unknown; result: unknown } => ({
  tool: "get_order",
  given: { order_id: order },
  result: { status: "shipped" },
});

describe("identifiers", () => {
  test.each<[string, Parameters<typeof chat>[0], string[]]>([
    ["given by the user", ["user: order ord_8812ab?", get("ord_8812ab"), "x"], ["holds get_order"]],
    ["given in another dress", ["user: order 8812 4431, please", get("#88124431"), "x"], []],
    [
      "given as a number in a result",
      [
        "user: my orders",
        { tool: "list_orders", given: { customer: "me" }, result: { orders: [{ id: 8812443 }] } },
        get("8812443"),
        "x",
      ],
      ["holds get_order"],
    ],
    [
      "given in a link, encoded",
      ["user: see https://x.example/?o=ord%5F8812ab", get("ord_8812ab"), "x"],
      ["holds get_order"],
    ],
    [
      "given by the instructions",
      [
        "system: The user's last order is ord_8812ab.",
        "user: where is it?",
        get("ord_8812ab"),
        "x",
      ],
      ["holds get_order"],
    ],
    [
      "composed of parts that were given",
      ["user: shop 4412, order 99887", get("4412-99887"), "x"],
      [],
    ],
    [
      "made up",
      ["user: where is my order?", get("ord_8812ab"), "x"],
      ["violated get_order unknown-origin /order_id"],
    ],
    [
      "made up, a uuid",
      ["user: where is my order?", get("6f1c1c1e-8d1a-4a3e-9a53-0d0c7f6a1b22"), "x"],
      ["violated get_order unknown-origin /order_id"],
    ],
    [
      "one digit off",
      ["user: order ord_8812ab", get("ord_8813ab"), "x"],
      ["violated get_order unknown-origin /order_id"],
    ],
    ["a word and no identifier", ["user: where is my order?", get("latest"), "x"], []],
    [
      "made anew by design",
      [
        "user: order a lamp",
        {
          tool: "create_order",
          given: {
            order_id: "ord_1f2e3d",
            idempotency_key: "6f1c1c1e-8d1a-4a3e-9a53-0d0c7f6a1b22",
          },
          result: { status: "ok" },
        },
        get("ord_1f2e3d"),
        "x",
      ],
      [],
    ],
    [
      "dates and names are no identifiers",
      [
        "user: weather?",
        { tool: "get_weather", given: { city: "Rome", date: "2025-06-01" }, result: "sun" },
        "x",
      ],
      [],
    ],
  ])("%s", (_what, steps, expected) => {
    expect(of(steps)).toEqual(expected);
  });

  test("where the beginning is missing the origin is not known", () => {
    expect(of([get("ord_8812ab"), "x", "user: and ord_77aa11?", get("ord_99zz88")])).toEqual([
      "inconclusive get_order",
    ]);
  });

  test.each<[string, unknown, string[]]>([
    ["nothing at all", "", ["inconclusive get_order"]],
    ["an acknowledgement", { success: true }, ["inconclusive get_order"]],
    ["a list without items", [], ["violated get_order unknown-origin /order_id"]],
  ])("where a tool that reads answered with %s", (_what, result, expected) => {
    const list = { tool: "list_orders", given: { customer: "me" }, result };
    const told = of(["user: where is my order?", list, get("ord_8812ab"), "x"]);
    expect(told.filter((item) => item.includes("get_order"))).toEqual(expected);
  });

  test("where all tools answer the same, the answers were left out", () => {
    const stand = { result: "the tool ran, step 1" };
    const list = { tool: "list_orders", given: { customer: "me" }, ...stand };
    expect(of(["user: where is my order?", list, { ...get("ord_8812ab"), ...stand }, "x"])).toEqual(
      ["inconclusive get_order"],
    );
  });

  test("an image may have shown it", () => {
    const transcript = chat(["user: a", get("ord_8812ab"), "x"], { tools });
    const messages = transcript["messages"] as { content: unknown }[];
    messages[0]!.content = [
      { type: "text", text: "this one" },
      { type: "image_url", image_url: { url: "data:x" } },
    ];
    expect(verdicts(provenance, transcript)).toEqual(["inconclusive get_order"]);
  });

  test("what is shown of the value are its ends", () => {
    const [finding] = checkTranscript(
      chat(["user: a", get("ord_8812abcdef"), "x"], { tools }),
      provenance,
    );
    expect(JSON.stringify(finding)).not.toContain("8812abcd");
    expect(finding?.actual).toContain("or…ef");
  });
});
