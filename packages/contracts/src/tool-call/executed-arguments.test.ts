import { describe, expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot, snapshotOf } from "../snapshot/create-snapshot.ts";
import { snapshotOfSpans, spansOf } from "../traces/trace-builder.ts";
import { executedArguments } from "./executed-arguments.ts";
import { snapshotOfTranscript } from "./fixtures/check-transcript.ts";

const schema = {
  type: "object",
  properties: {
    namespace: { type: "string" },
    limit: { type: "integer", default: 10 },
    wide: { type: "boolean" },
    labels: { type: "array", items: { type: "object", properties: { key: { type: "string" } } } },
  },
  required: ["namespace"],
};

/** A call as the model emitted it, and the span of the tool that ran with its id. */
function ran(
  emitted: unknown,
  executed: unknown,
  { id = "call_7" }: { id?: string | undefined } = {},
): Snapshot {
  const transcript = snapshotOfTranscript({
    tools: [{ name: "get_pods", input_schema: schema }],
    messages: [
      { role: "user", content: "pods?" },
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "call_7", name: "get_pods", input: emitted }],
      },
    ],
  });
  const spans = spansOf({
    name: "execute_tool get_pods",
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "get_pods",
      ...(id === undefined ? {} : { "gen_ai.tool.call.id": id }),
      "gen_ai.tool.call.arguments":
        typeof executed === "string" ? executed : JSON.stringify(executed),
    },
  });
  return snapshotOf([...transcript.evidence, ...snapshotOfSpans(spans).evidence]);
}

const said = (findings: readonly Finding[]): string[] =>
  findings.map(({ verdict, measures }) =>
    [verdict, measures["fault"], measures["pointer"], measures["ranAs"]]
      .filter((part) => part !== undefined)
      .join(" "),
  );
const check = (emitted: unknown, executed: unknown): string[] =>
  said(executedArguments.check(ran(emitted, executed)));

describe("what ran against what was emitted", () => {
  test.each<[string, unknown, unknown, string[]]>([
    [
      "equal, in another order",
      { namespace: "a", limit: 3 },
      { limit: 3, namespace: "a" },
      ["holds"],
    ],
    [
      "renamed in silence",
      { ns: "a" },
      { namespace: "a" },
      ["violated renamed-field /ns namespace"],
    ],
    [
      "text made a number",
      { namespace: "a", limit: "3" },
      { namespace: "a", limit: 3 },
      ["violated coerced-field /limit"],
    ],
    [
      "a list made of one text",
      { namespace: "a", labels: "x" },
      { namespace: "a", labels: ["x"] },
      ["violated coerced-field /labels"],
    ],
    [
      "another value",
      { namespace: "a" },
      { namespace: "b" },
      ["violated changed-field /namespace"],
    ],
    [
      "dropped in silence",
      { namespace: "a", verbose: true },
      { namespace: "a" },
      ["violated dropped-field /verbose"],
    ],
    [
      "a default that the schema says",
      { namespace: "a" },
      { namespace: "a", limit: 10 },
      ["holds"],
    ],
    [
      "a default that nobody said",
      { namespace: "a" },
      { namespace: "a", limit: 50 },
      ["violated added-field /limit"],
    ],
    ["null for what is optional", { namespace: "a" }, { namespace: "a", wide: null }, ["holds"]],
    [
      "what the application adds beside the schema",
      { namespace: "a" },
      { namespace: "a", session: "s" },
      ["holds"],
    ],
    [
      "within an item",
      { namespace: "a", labels: [{ Key: "x" }] },
      { namespace: "a", labels: [{ key: "x" }] },
      ["violated renamed-field /labels/*/Key key"],
    ],
    ["wrapped by a recorder", { namespace: "a" }, { input: { namespace: "a" } }, ["holds"]],
    [
      "in Python's notation",
      { namespace: "a", wide: true },
      "{'namespace': 'a', 'wide': True}",
      ["holds"],
    ],
    ["hidden by a recorder", { namespace: "a" }, { namespace: "[REDACTED]" }, ["holds"]],
    ["cut by a recorder", { namespace: "abcdefgh" }, { namespace: "abcd…" }, ["holds"]],
    ["not recorded as an object", { namespace: "a" }, "namespace a", []],
  ])("%s", (...[, emitted, executed, expected]) => {
    expect(check(emitted, executed)).toEqual(expected);
  });

  test("both sides are named as evidence, and no value is quoted", () => {
    const [finding] = executedArguments.check(
      ran({ ns: "secret-name" }, { namespace: "secret-name" }),
    );
    expect(finding?.evidence).toHaveLength(2);
    expect(JSON.stringify(finding)).not.toContain("secret-name");
  });

  test("the span of another call says nothing about this one", () => {
    const snapshot = ran({ namespace: "a" }, { namespace: "b" }, { id: "call_8" });
    expect(said(executedArguments.check(snapshot))).toEqual([]);
  });

  test("a field that the application changes by design can be named", () => {
    const contract = executedArguments.with({ ignoredFields: ["namespace"] });
    expect(said(contract.check(ran({ namespace: "a" }, { namespace: "b" })))).toEqual(["holds"]);
  });

  test("evidence about other things changes nothing", () => {
    const other = createSnapshot([
      {
        source: { name: "o", format: "transcript", notes: [] },
        content: {
          kind: "transcript",
          turns: [{ role: "user", text: "hi", calls: [], results: [], pointer: "/0" }],
        },
      },
    ]);
    const snapshot = snapshotOf([
      ...ran({ ns: "a" }, { namespace: "a" }).evidence,
      ...other.evidence,
    ]);
    expect(said(executedArguments.check(snapshot))).toEqual([
      "violated renamed-field /ns namespace",
    ]);
  });
});

test("executed arguments beside the emitted ones, as an application logs them", () => {
  const transcript = {
    messages: [
      { role: "user", content: "pods?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "c1",
            function: { name: "get_pods", arguments: '{"limit":"3"}' },
            executed_arguments: { limit: 3 },
          },
        ],
      },
    ],
  };
  expect(said(executedArguments.check(snapshotOfTranscript(transcript)))).toEqual([
    "violated coerced-field /limit",
  ]);
});
