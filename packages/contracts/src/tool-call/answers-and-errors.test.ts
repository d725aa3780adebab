import { describe, expect, test } from "vitest";

import { answerAgrees } from "./answer-agrees.ts";
import { errorsHandled } from "./errors-handled.ts";
import { chat, chatTool, checkTranscript, verdicts } from "./fixtures/check-transcript.ts";
import { resultQuality } from "./result-quality.ts";

type Steps = Parameters<typeof chat>[0];
const tools = ["book_flight", "search_flights", "get_weather", "get_order", "send_email"].map(
  (name) => chatTool(name),
);
const failed = (list: readonly string[]): string[] =>
  list.filter((item) => !item.startsWith("holds"));

describe("errors are handled", () => {
  const fails = {
    tool: "book_flight",
    given: { id: "FL1" },
    result: "Error: seat map service unavailable",
    isError: true,
  };
  const works = { ...fails, result: { status: "confirmed" }, isError: false };
  test.each<[string, Steps, string[]]>([
    [
      "reported",
      ["user: book FL1", fails, "I could not book the flight: the seat map is unavailable."],
      [],
    ],
    ["tried again", ["user: book FL1", fails, works, "Your flight has been booked."], []],
    ["asked", ["user: book FL1", fails, "Shall I take another flight?"], []],
    [
      "success claimed",
      ["user: book FL1", fails, "Your flight has been booked successfully. Enjoy your trip!"],
      ["violated book_flight ignored-error"],
    ],
    [
      "success claimed after two failures",
      ["user: book FL1", fails, fails, "I've booked your flight."],
      ["violated book_flight ignored-error"],
    ],
    [
      "success claimed, the error only in the text of the result",
      ["user: book FL1", { ...fails, isError: false }, "Done! Your flight is booked."],
      ["violated book_flight ignored-error"],
    ],
    [
      "success claimed, the error as a field",
      [
        "user: book FL1",
        { ...fails, result: { error: "no seats left" }, isError: false },
        "Your flight has been booked.",
      ],
      ["violated book_flight ignored-error"],
    ],
    [
      "another tool did it",
      [
        "user: weather in Rome",
        { tool: "get_weather", result: "Error: unavailable", isError: true },
        { tool: "search_flights", result: { temperature: 21 } },
        "It is 21 degrees in Rome.",
      ],
      [],
    ],
    [
      "a status that is about something else",
      [
        "user: order?",
        {
          tool: "get_order",
          result: { order_id: "1", status: "failed", error: "card expired", total: 3 },
        },
        "The order has been completed.",
      ],
      [],
    ],
    [
      "another language",
      ["user: buche", fails, "Ihr Flug wurde gebucht und alles ist bereit, vielen Dank."],
      [],
    ],
    ["the transcript ends", ["user: book FL1", fails], []],
  ])("%s", (_what, steps, expected) => {
    expect(failed(verdicts(errorsHandled, chat(steps, { tools })))).toEqual(expected);
  });

  test("an answer that says neither is left open", () => {
    expect(
      failed(
        verdicts(
          errorsHandled,
          chat(
            [
              "user: book FL1",
              fails,
              "The flight leaves at ten in the morning from the main hall.",
            ],
            { tools },
          ),
        ),
      ),
    ).toEqual(["inconclusive book_flight"]);
  });
});

describe("answers agree with results", () => {
  const order = (result: unknown): Steps[number] => ({
    tool: "get_order",
    given: { id: "1" },
    result,
  });
  test.each<[string, Steps, string[]]>([
    ["the same number", ["user: total?", order({ total: 41.5 }), "The total is $41.50."], []],
    [
      "another number",
      ["user: total?", order({ total: 41.5 }), "The total is $45.10."],
      ["violated get_order number total"],
    ],
    [
      "another number in Markdown",
      ["user: total?", order({ total: 41.5 }), "**Total:** $45.10"],
      ["violated get_order number total"],
    ],
    ...["24,6 Grad", "1.234.567,89 €", "1 299,50 €", "1’299.50", "1,00,000 rupees"].map(
      (stated): [string, Steps, string[]] => [
        `a number in the notation of another country: ${stated}`,
        ["user: total?", order({ total: 87.25 }), `Total: ${stated}`],
        [],
      ],
    ),
    ["rounded", ["user: total?", order({ total: 41.49 }), "The total is about $41."], []],
    [
      "a sum",
      ["user: total?", order({ net: 40, tax: 7.6, total: 40 }), "The total is $47.60."],
      [],
    ],
    [
      "a percentage",
      ["user: total after 10 % off?", order({ total: 200 }), "The total is $180."],
      [],
    ],
    [
      "another unit",
      [
        "user: weather?",
        { tool: "get_weather", result: { temperature: 20 } },
        "The temperature is 68°F.",
      ],
      [],
    ],
    ["thousands", ["user: total?", order({ total: 12_345 }), "The total is 12,345 EUR."], []],
    ["cents", ["user: total?", order({ total: 4_150 }), "The total is $41.50."], []],
    [
      "a wrong temperature",
      [
        "user: weather?",
        { tool: "get_weather", result: { city: "Rome", temperature: 31 } },
        "The temperature is 24°C in Rome.",
      ],
      ["violated get_weather number temperature"],
    ],
    [
      "a number of the user",
      [
        "user: is the total 45?",
        order({ total: 41.5 }),
        "You said that the total is 45, but it is 41.50.",
      ],
      [],
    ],
    [
      "several of a kind",
      ["user: totals?", order([{ total: 1 }, { total: 2 }]), "The total is 7."],
      [],
    ],
    [
      "a date behind the key",
      ["user: total?", order({ total: 41.5 }), "Your total for 3 items was computed on the 5th."],
      [],
    ],
    [
      "the same status",
      ["user: status?", order({ status: "pending" }), "The status is pending."],
      [],
    ],
    [
      "another status",
      ["user: status?", order({ status: "pending" }), "The order status is shipped."],
      ["violated get_order status status"],
    ],
    [
      "another status in plain words",
      ["user: where is it?", order({ status: "processing" }), "Your order has been delivered."],
      ["violated get_order status status"],
    ],
    [
      "a status that will come",
      [
        "user: where is it?",
        order({ status: "processing" }),
        "It will be delivered soon; once it is shipped you get a mail.",
      ],
      [],
    ],
    [
      "not available",
      ["user: is it available?", order({ available: false }), "Yes, it is available."],
      ["violated get_order boolean available"],
    ],
    [
      "available and said so",
      ["user: is it available?", order({ available: false }), "No, it is not available."],
      [],
    ],
    [
      "items from nothing",
      [
        "user: flights?",
        { tool: "search_flights", result: [] },
        "I found 3 flights for you: AB1, CD2 and EF3.",
      ],
      ["violated search_flights items-from-nothing"],
    ],
    [
      "nothing found, and said so",
      [
        "user: flights?",
        { tool: "search_flights", result: { flights: [] } },
        "I found no flights.",
      ],
      [],
    ],
  ])("%s", (_what, steps, expected) => {
    expect(failed(verdicts(answerAgrees, chat(steps, { tools })))).toEqual(expected);
  });

  test("what was said and what was recorded stand in the finding", () => {
    const [finding] = checkTranscript(
      chat(["user: total?", order({ total: 41.5 }), "The total is $45.10."], { tools }),
      answerAgrees,
    );
    expect(finding).toMatchObject({ measures: { key: "total", stated: "45.1", recorded: "41.5" } });
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual([
      "/messages/1/tool_calls/0",
      "/messages/2",
      "/messages/3",
    ]);
  });

  test("results of other tools change nothing unless they support the answer", () => {
    const steps = (weather: unknown): Steps => [
      "user: total?",
      order({ total: 41.5 }),
      { tool: "get_weather", result: weather },
      "The total is $45.10.",
    ];
    expect(failed(verdicts(answerAgrees, chat(steps({ sky: "blue" }), { tools })))).toHaveLength(1);
    expect(failed(verdicts(answerAgrees, chat(steps({ fee: 3.6 }), { tools })))).toEqual([]);
  });
});

describe("the quality of results", () => {
  test.each<[string, unknown, boolean, string[]]>([
    ["nothing", "", true, ["violated get_order empty-error"]],
    ["a word", "failed", true, ["violated get_order no-message"]],
    [
      "nothing that names the fault",
      "Something went wrong.",
      true,
      ["violated get_order no-message"],
    ],
    [
      "a page",
      "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>",
      true,
      ["violated get_order html-error"],
    ],
    [
      "a page that is not marked",
      "<html><head><title>502 Bad Gateway</title></head></html>",
      false,
      ["violated get_order unmarked-page"],
    ],
    [
      "a web page that was asked for",
      "<html><head><title>Recipes</title></head></html>",
      false,
      [],
    ],
    ...[
      "Error handling in Go",
      "How to forbid access: 403 explained",
      "500 Cocktails",
      "404 Media",
    ].map((title): [string, unknown, boolean, string[]] => [
      `a web page about errors: ${title}`,
      `<html><head><title>${title}</title></head><body><h1>Errors</h1></body></html>`,
      false,
      [],
    ]),
    ...["HTTP Status 404 – Not Found", "Error", "503 Service Temporarily Unavailable"].map(
      (title): [string, unknown, boolean, string[]] => [
        `a page that says that it failed: ${title}`,
        `<html><head><title>${title}</title></head></html>`,
        false,
        ["violated get_order unmarked-page"],
      ],
    ),
    [
      "a stack",
      'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nKeyError: 1',
      true,
      ["violated get_order stack-trace"],
    ],
    ["an error without a message", { error: true }, true, ["violated get_order no-message"]],
    [
      "a message with a code",
      { error: { code: "not_found", message: "No order 17. Use list_orders to see them." } },
      true,
      ["holds get_order"],
    ],
    ["a sentence that names the fault", "Error: order 17 does not exist", true, []],
    ["a good result", { total: 1 }, false, []],
  ])("%s", (...[, result, isError, expected]) => {
    expect(
      verdicts(
        resultQuality,
        chat(["user: a", { tool: "get_order", result, isError }, "b"], { tools }),
      ),
    ).toEqual(expected);
  });
});
