import { describe, expect, test } from "vitest";

import { chat, chatTool, checkTranscript, verdicts } from "./fixtures/check-transcript.ts";
import { type SpanTree, snapshotOfSpans, spansOf } from "../traces/trace-builder.ts";
import { loops } from "./loops.ts";
import { redundant } from "./redundant.ts";

const tools = [
  "get_order",
  "search_docs",
  "update_order",
  "get_job_status",
  "list_items",
  "roll_dice",
].map((name) => chatTool(name));
type Steps = Parameters<typeof chat>[0];
const order = {
  tool: "get_order",
  given: { id: "1" },
  result: { total: 41, currency: "EUR", status: "shipped" },
};
const search = {
  tool: "search_docs",
  given: { query: "refund" },
  result: "Refunds take five working days at most.",
};
const change = { tool: "update_order", given: { id: "1" }, result: { ok: true } };
const wait = { tool: "get_job_status", given: { id: "1" }, result: { status: "running" } };
const fails = {
  tool: "get_order",
  given: { id: "1" },
  result: "Error: request req_8a8a8a8a failed",
  isError: true,
};
const violated = (list: readonly string[]): string[] =>
  list.filter((item) => item.startsWith("violated"));

describe("redundant calls", () => {
  test.each<[string, Steps, string[]]>([
    ["twice the same", ["user: a", order, search, order, "x"], ["violated get_order equal-calls"]],
    [
      "twice the same at once",
      ["user: a", [order, order], "x"],
      ["violated get_order equal-calls"],
    ],
    ["after a change", ["user: a", order, change, order, "x"], []],
    [
      "after a tool that may have changed something",
      ["user: a", order, { tool: "shop_assistant", result: "I looked at it." }, order, "x"],
      [],
    ],
    [
      "after a command",
      ["user: a", order, { tool: "bash", given: { command: "x" }, result: "" }, order, "x"],
      [],
    ],
    ["after the user asked again", ["user: a", order, "x", "user: and now?", order, "y"], []],
    ["polling", ["user: a", wait, wait, wait, { ...wait, result: { status: "done" } }, "x"], []],
    [
      "what is under way",
      [
        "user: a",
        { ...search, result: { state: "queued", place: "third in the line" } },
        { ...search, result: { state: "queued", place: "third in the line" } },
        "x",
      ],
      [],
    ],
    [
      "three times, written otherwise",
      [
        "user: a",
        ...[
          { query: "Late Refund", limit: 5 },
          { limit: 5, query: "late refund" },
          { query: "late   refund", limit: 5 },
        ].map((given) => ({ ...search, given })),
        "x",
      ],
      ["violated search_docs similar-calls"],
    ],
    [
      "answers that share a beginning and their words, and little else",
      [
        "user: a",
        ...["gold", "silver", "bronze"].map((word, index) => ({
          ...search,
          given: index === 1 ? { query: "REFUND" } : { query: "refund" },
          result: `${"terms of the shop ".repeat(20)}${Array.from({ length: 80 }, (_, at) => `${word} part ${at}`).join(" ")}`,
        })),
        "x",
      ],
      [],
    ],
    ["news at the end", ["user: a", order, order, { ...order, result: { total: 40 } }, "x"], []],
    ["after an error", ["user: a", fails, fails, "it failed"], []],
    [
      "pages",
      [
        "user: a",
        ...[1, 2, 3].map((page) => ({
          tool: "list_items",
          given: { page },
          result: `item a, item b of the page number ${page}`,
        })),
        "x",
      ],
      [],
    ],
    [
      "each thing once",
      ["user: a", ...["1", "2", "3"].map((item) => ({ ...order, given: { id: item } })), "x"],
      [],
    ],
    [
      "chance",
      [
        "user: a",
        { tool: "roll_dice", result: "You have rolled the number 4" },
        { tool: "roll_dice", result: "You have rolled the number 4" },
        "x",
      ],
      [],
    ],
    [
      "much the same search three times",
      [
        "user: a",
        ...[
          "refund policy for late parcels in europe",
          "refund policy for late parcels europe",
          "refund policy late parcels in europe",
        ].map((query) => ({ ...search, given: { query } })),
        "x",
      ],
      ["violated search_docs similar-calls"],
    ],
    [
      "arguments that differ in case alone, and may name different things",
      [
        "user: a",
        ...["AA", "Aa", "aa"].map((genotype) => ({
          tool: "get_genotype_frequency",
          given: { allele_frequency: 0.3, genotype },
          result: "The frequency of the genotype was computed from the alleles.",
        })),
        "x",
      ],
      [],
    ],
    [
      "one word of a long search that differs",
      [
        "user: a",
        ...["apple", "google", "tesla"].map((name) => ({
          ...search,
          given: { query: `what is the current market price of one ${name} stock in us dollars` },
        })),
        "x",
      ],
      [],
    ],
    [
      "much the same searches made at once",
      [
        "user: a",
        [
          "refund policy for late parcels in europe",
          "refund policy for late parcels europe",
          "refund policy late parcels in europe",
        ].map((query) => ({ ...search, given: { query } })),
        "x",
      ],
      [],
    ],
    ...[{ ok: true }, "ok", [], { status: "success", data: null }, true, "null"].map(
      (result): [string, Steps, string[]] => [
        `answers that say nothing: ${JSON.stringify(result)}`,
        ["user: a", { ...order, result }, search, { ...order, result }, "x"],
        [],
      ],
    ),
  ])("%s", (_what, steps, expected) => {
    expect(violated(verdicts(redundant, chat(steps, { tools })))).toEqual(expected);
  });

  test("calls of other tools and in other conversations change nothing", () => {
    const [alone] = checkTranscript(chat(["user: a", order, order, "x"], { tools }), redundant);
    const [among] = checkTranscript(
      chat(
        ["user: a", order, search, { ...search, given: { query: "parcels lost" } }, order, "x"],
        { tools },
      ),
      redundant,
    );
    expect(among?.measures).toEqual(alone?.measures);
  });
});

describe("loops", () => {
  const repeat = (count: number, ...steps: Steps): Steps =>
    Array.from({ length: count }, () => steps).flat();
  test.each<[string, Steps, string[]]>([
    ["one call three times", ["user: a", ...repeat(3, order), "x"], ["violated get_order cycle"]],
    ["two calls in turns", ["user: a", ...repeat(3, order, search)], ["violated get_order cycle"]],
    [
      "the same error again",
      ["user: a", ...repeat(3, fails), "x"],
      ["violated get_order same-error-again"],
    ],
    ["twice is none", ["user: a", ...repeat(2, order, search), "x"], []],
    [
      "progress",
      [
        "user: a",
        ...[1, 2, 3, 4].flatMap((page): Steps => [
          { tool: "list_items", given: { page }, result: `p${page}` },
          search,
        ]),
        "x",
      ],
      [],
    ],
    ["polling", ["user: a", ...repeat(6, wait), "x"], []],
    [
      "waiting for what is under way",
      ["user: a", ...repeat(4, { ...order, result: { status: "in_progress" } }), "x"],
      [],
    ],
    [
      "looking until there is news",
      ["user: a", ...repeat(4, order), { ...order, result: { total: 40 } }, "x"],
      [],
    ],
    ["the user asks again and again", repeat(4, "user: a", order, "x"), []],
  ])("%s", (_what, steps, expected) => {
    expect(violated(verdicts(loops, chat(steps, { tools })))).toEqual(expected);
  });

  test("is none where one and the same call draws another answer each time", () => {
    const draw = (face: string) => ({ tool: "roll_dice", result: { face } });
    const steps = ["two", "five", "two", "five", "two", "five"].map(draw);
    expect(checkTranscript(chat(["user: a", ...steps, "x"], { tools }), loops)).toMatchObject([
      { verdict: "holds" },
    ]);
  });

  test("is one where an agent goes back and forth between two states, though one call tells both", () => {
    const search = (name: string) => ({ tool: "search", arguments: { query: "x" }, result: name });
    const order = (name: string) => ({ tool: "get_order", arguments: { id: name }, result: "ok" });
    const round = [order("a"), search("first"), order("b"), search("second")];
    expect(
      violated(verdicts(loops, chat(["user: a", ...repeat(4, ...round)], { tools }))),
    ).toHaveLength(1);
  });

  test("names the circle, its calls and where it should have stopped", () => {
    const [finding] = checkTranscript(
      chat(["user: a", ...repeat(4, order, search)], { tools }),
      loops,
    );
    expect(finding?.measures).toMatchObject({
      cycle: "get_order → search_docs",
      cycleLength: 2,
      repetitionCount: 4,
      stopAt: "/messages/9/tool_calls/0",
    });
    expect(finding?.evidence).toHaveLength(8);
  });

  test("a budget of calls is kept when one is set", () => {
    const steps: Steps = [
      "user: a",
      ...[1, 2, 3].map((page) => ({ tool: "list_items", given: { page }, result: `p${page}` })),
      "x",
    ];
    expect(verdicts(loops.with({ callCountPerTurnMax: 2 }), chat(steps, { tools }))).toEqual([
      "violated list_items budget",
    ]);
  });
});

describe("calls that spans record", () => {
  const ran = (at: number): SpanTree => ({
    name: "execute_tool search_docs",
    at,
    durationMicros: 1_000,
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "search_docs",
      "gen_ai.tool.call.arguments": JSON.stringify(search.given),
      "gen_ai.tool.call.result": search.result,
    },
  });
  const posts: SpanTree = {
    name: "POST /documents",
    kind: "client",
    at: 15_000,
    durationMicros: 1_000,
    attributes: { "http.request.method": "POST", "url.full": "http://docs/documents" },
  };
  const found = (...children: SpanTree[]): string[] => {
    const snapshot = snapshotOfSpans(spansOf({ name: "agent", children }));
    return [redundant, loops].flatMap((contract) =>
      contract.check(snapshot).map(({ verdict, contract: id }) => `${verdict} ${id}`),
    );
  };

  test("again and again are told", () => {
    expect(found(ran(0), ran(10_000), ran(20_000))).toEqual([
      "violated tool-call/redundant",
      "violated tool-call/loops",
    ]);
  });

  test("around a change that other work of the trace made are none", () => {
    expect(violated(found(ran(10_000), posts, ran(20_000)))).toEqual([]);
  });

  test("that write something themselves change nothing for those who look", () => {
    const writing = { ...ran(10_000), children: [{ ...posts, at: 0 }] };
    expect(found(ran(0), writing, ran(20_000))[0]).toBe("violated tool-call/redundant");
  });
});
