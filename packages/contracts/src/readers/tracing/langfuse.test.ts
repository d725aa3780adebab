import { describe, expect, it } from "vitest";

import { toolCallSchema } from "../../tool-call/schema.ts";
import { snapshotOf } from "../../snapshot/create-snapshot.ts";
import { readEvidence } from "../read-evidence.ts";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const observation = (fields: object): object => ({
  id: "3f0a9a4c1b2d4e5f",
  traceId: "1b72c51fabed12ae7df83bfd4a09f545",
  type: "SPAN",
  parentObservationId: null,
  name: "step",
  startTime: "2025-06-06T11:31:33.965Z",
  endTime: "2025-06-06T11:31:34.965Z",
  level: "DEFAULT",
  ...fields,
});
const generation = (given: object, fields: object = {}): object =>
  observation({
    id: "4f0a9a4c1b2d4e5f",
    type: "GENERATION",
    name: "chat",
    input: JSON.stringify([{ role: "user", content: "weather?" }]),
    output: JSON.stringify({
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", function: { name: "weather", arguments: JSON.stringify(given) } }],
    }),
    ...fields,
  });
const tools = { weather: JSON.stringify({ description: "x", parameters: schema }) };
const trace = { id: "1b72c51fabed12ae7df83bfd4a09f545", projectId: "p", bookmarked: false };

function read(value: unknown): ReturnType<typeof readEvidence> {
  return readEvidence([{ name: "x.json", bytes: new TextEncoder().encode(JSON.stringify(value)) }]);
}

describe("exports of Langfuse", () => {
  it("are read as spans, with what the tracer recorded beside what Langfuse made of it", () => {
    const failed = observation({
      level: "ERROR",
      statusMessage: "no route",
      environment: "production",
      metadata: { attributes: { "http.url": "x" }, resourceAttributes: { "service.name": "bot" } },
    });
    const { evidence, unreadable } = read({ trace, observations: [failed] });
    expect(unreadable).toEqual([]);
    expect(evidence).toMatchObject([
      {
        source: { format: "langfuse-json" },
        content: {
          spans: [
            {
              traceId: "1b72c51fabed12ae7df83bfd4a09f545",
              spanId: "3f0a9a4c1b2d4e5f",
              name: "step",
              service: "bot",
              durationNanos: 1e9,
              status: { code: "error", message: "no route" },
              attributes: { "langfuse.observation.type": "span", "http.url": "x" },
              resource: { "deployment.environment.name": "production" },
            },
          ],
        },
      },
    ]);
  });

  it.each<[string, (item: object) => unknown]>([
    ["of a trace", (item) => ({ trace, observations: [item] })],
    ["of the API", (item) => ({ data: [item], meta: { page: 1 } })],
    ["one on each line", (item) => item],
  ])("show calls that break their schema, %s", (_what, wrap) => {
    const faults = (given: object): unknown[] => {
      const { evidence } = read(wrap(generation(given, { toolDefinitions: tools })));
      return toolCallSchema.check(snapshotOf(evidence)).map(({ verdict }) => verdict);
    };
    expect(faults({ city: "Rome" })).toEqual(["holds"]);
    expect(faults({ town: "Rome" })).toContain("violated");
  });

  it("take tools that were taken out of the request", () => {
    const definition = JSON.stringify({ type: "function", name: "weather", inputSchema: schema });
    const { evidence } = read(
      wrapped(generation({ city: 3 }, { metadata: { tools: [definition] } })),
    );
    const [finding] = toolCallSchema.check(snapshotOf(evidence));
    expect(finding?.verdict).toBe("violated");
  });
});

function wrapped(item: object): object {
  return { trace, observations: [item] };
}
