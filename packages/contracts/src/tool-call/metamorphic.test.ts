/** Evidence about other things, in another order or recorded twice changes no verdict. */

import { expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { toolCallContracts } from "./contracts.ts";
import { chat, chatTool, snapshotOfTranscript } from "./fixtures/check-transcript.ts";

const text = { type: "string" };
const faulty = chat(
  [
    "user: where is my order?",
    { tool: "get_order", given: { id: "ord_8812ab" }, result: { total: 41.5, status: "shipped" } },
    { tool: "get_order", given: { id: "ord_8812ab" }, result: { total: 41.5, status: "shipped" } },
    { tool: "get_order", given: { id: "ord_8812ab" }, result: { total: 41.5, status: "shipped" } },
    "The total is $45.10.",
    "user: book it",
    { tool: "book", given: { id: 5 }, result: "", isError: true },
    "It has been booked successfully.",
  ],
  { tools: [chatTool("get_order", { order_id: text }), chatTool("book", { id: text })] },
);
const other = chat(
  ["user: hi", { tool: "ping", result: "pong and nothing else to say" }, "Hello."],
  { tools: [chatTool("ping")] },
);

const verdictsOf = (snapshot: Snapshot): string[] =>
  toolCallContracts
    .flatMap((contract): Finding[] => contract.check(snapshot))
    .filter(({ subject }) => subject.name !== "ping")
    .map(({ contract, verdict, subject, measures }) =>
      [contract, verdict, subject.name, measures["fault"] ?? ""].join(" "),
    )
    .toSorted();

const alone = verdictsOf(snapshotOfTranscript(faulty));

test("the faults of one conversation are seen by their contracts", () => {
  const contracts = new Set(
    alone.filter((line) => line.includes("violated")).map((line) => line.split(" ")[0]),
  );
  expect([...contracts].toSorted((left = "", right = "") => compareText(left, right))).toEqual([
    "tool-call/answer-agrees",
    "tool-call/errors-handled",
    "tool-call/loops",
    "tool-call/provenance",
    "tool-call/redundant",
    "tool-call/result-quality",
    "tool-call/schema",
  ]);
});

test("another conversation beside it changes nothing", () => {
  const both = snapshotOf([
    ...snapshotOfTranscript(faulty).evidence,
    ...snapshotOfTranscript(other).evidence,
  ]);
  expect(verdictsOf(both)).toEqual(alone);
});

test("the same evidence twice, and in another order, changes nothing", () => {
  const { evidence } = snapshotOfTranscript(faulty);
  const more = snapshotOfTranscript(other).evidence;
  expect(verdictsOf(snapshotOf([...evidence, ...evidence]))).toEqual(alone);
  expect(verdictsOf(snapshotOf([...more, ...evidence]))).toEqual(
    verdictsOf(snapshotOf([...evidence, ...more])),
  );
});

test("other names of tools and ids change nothing but the names", () => {
  const renamed = JSON.parse(
    JSON.stringify(faulty).replaceAll("get_order", "get_parcel").replaceAll("call_", "toolu_"),
  ) as unknown;
  expect(verdictsOf(snapshotOfTranscript(renamed))).toEqual(
    alone.map((line) => line.replace("get_order", "get_parcel")).toSorted(),
  );
});

test("advertised tools in another order, and one more, change nothing", () => {
  const tools = [chatTool("unused"), ...(faulty["tools"] as unknown[]).toReversed()];
  expect(verdictsOf(snapshotOfTranscript({ ...faulty, tools }))).toEqual(alone);
});
