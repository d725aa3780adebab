import { expect, it } from "vitest";

import { toolOfSpan } from "../transcript/span-messages.ts";
import { readEvidence } from "../read-evidence.ts";

const root = {
  id: "01890000-0000-7000-8000-000000000001",
  run_type: "chain",
  name: "agent",
  start_time: "2025-01-01T00:00:00.000000",
  end_time: "2025-01-01T00:00:02.000000",
  inputs: {},
  outputs: {},
  session_name: "support",
};
const message = {
  lc: 1,
  id: ["langchain", "ToolMessage"],
  kwargs: { type: "tool", content: "sun" },
};
const tool = {
  id: "01890000-0000-7000-8000-000000000002",
  run_type: "tool",
  name: "weather",
  start_time: "2025-01-01T00:00:01.000000",
  end_time: "2025-01-01T00:00:01.500000",
  inputs: { input: "{'city': 'Rome', 'days': 3}" },
  outputs: { output: message },
};

function read(value: unknown): readonly (string | undefined | number)[][] {
  const { evidence, unreadable } = readEvidence([
    { name: "x.json", bytes: new TextEncoder().encode(JSON.stringify(value)) },
  ]);
  expect(unreadable).toEqual([]);
  expect(evidence[0]?.source.format).toBe("langsmith-runs");
  const spans = evidence.flatMap(({ content }) => (content.kind === "trace" ? content.spans : []));
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(spans[1]?.parentSpanId).toBe(spans[0]?.spanId);
  const [, second] = spans;
  if (second === undefined) throw new Error("no second span");
  expect(toolOfSpan(second)).toEqual({
    name: "weather",
    arguments: { city: "Rome", days: 3 },
    result: "sun",
  });
  return spans.map(({ name, service, durationNanos, status }) => [
    name,
    service,
    durationNanos,
    status.message,
  ]);
}

it("runs are read alike as a tree, as a list and in a page of the API", () => {
  const placed = { ...tool, trace_id: root.id, parent_run_id: root.id };
  const list = [{ ...root, trace_id: root.id, parent_run_id: null }, placed];
  const expected = read(list);
  expect(expected).toEqual([
    ["agent", "support", 2e9, undefined],
    ["weather", "unknown_service", 5e8, undefined],
  ]);
  expect(read({ ...root, child_runs: [tool] })).toEqual(expected);
  expect(read({ runs: list })).toEqual(expected);
});

it("a run that failed says why", () => {
  const failed = { ...tool, error: "Timeout()" };
  expect(read({ ...root, child_runs: [failed] })[1]?.[3]).toBe("Timeout()");
});
