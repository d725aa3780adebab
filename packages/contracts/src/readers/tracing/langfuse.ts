/** Traces as Langfuse exports them: observations, of a trace, from the API, or one on each line. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import { unpacked } from "../../text/json-text.ts";
import { FieldPaths } from "../field-path.ts";
import type { FileContent } from "../format.ts";
import { timeOfValue } from "../time-text.ts";
import { itemsOf } from "./documents.ts";
import { textOf } from "../loose-value.ts";
import { SpanCollector } from "./span-collector.ts";

const paths = {
  trace: new FieldPaths(["traceId", "trace_id"]),
  parent: new FieldPaths(["parentObservationId", "parent_observation_id"]),
  start: new FieldPaths(["startTime", "start_time"]),
  end: new FieldPaths(["endTime", "end_time"]),
  message: new FieldPaths(["statusMessage", "status_message"]),
  model: new FieldPaths(["model", "providedModelName", "provided_model_name"]),
  definitions: new FieldPaths(["toolDefinitions", "tool_definitions"]),
};

/** Whether a text begins with observations, or with the trace that holds them. */
export function recogniseLangfuse(head: string): boolean {
  if (/"parent_?[oO]bservation_?[iI]d"\s*:/.test(head)) return /"start_?[tT]ime"\s*:/.test(head);
  // A trace may say much before its observations begin.
  return (
    /^\s*\{\s*"trace"\s*:\s*\{/.test(head) &&
    /"projectId"\s*:/.test(head) &&
    /"(?:bookmarked|environment|htmlPath|sessionId)"\s*:/.test(head)
  );
}

/** Reads every observation of a text. */
export function readLangfuse(text: string): FileContent {
  const collector = new SpanCollector();
  for (const item of itemsOf(text)) {
    if (!isFields(item)) continue;
    const lists = [item["observations"], item["data"]].filter((list) => Array.isArray(list));
    const observations: readonly unknown[] = lists.length === 0 ? [item] : lists.flat();
    for (const observation of observations) {
      if (isFields(observation)) addObservation(observation, collector);
    }
  }
  return collector.content("Langfuse");
}

function addObservation(observation: Fields, collector: SpanCollector): void {
  const metadata = fieldsOf(observation["metadata"]);
  const start = timeOfValue(paths.start.first(observation));
  const isFailed = textOf(observation["level"]).toUpperCase() === "ERROR";
  const resource = collector.attributes(fieldsOf(metadata["resourceAttributes"]));
  const environment = textOf(observation["environment"]);
  if (environment !== "") resource["deployment.environment.name"] ??= environment;
  collector.add({
    traceId: textOf(paths.trace.first(observation)),
    spanId: textOf(observation["id"]),
    parentSpanId: textOf(paths.parent.first(observation)),
    name: textOf(observation["name"]) || textOf(observation["type"]).toLowerCase(),
    kind: 1,
    startMicros: start,
    // What has no end is an event.
    endMicros: timeOfValue(paths.end.first(observation)) ?? start,
    attributes: collector.bounded(attributesOf(observation, metadata, collector)),
    statusCode: isFailed ? 2 : 0,
    statusMessage: isFailed ? paths.message.firstText(observation) : undefined,
    resource,
    scope: { name: textOf(fieldsOf(metadata["scope"])["name"]).slice(0, 1_024) },
  });
}

/** What the tracer recorded, and beside it what Langfuse made of it, under the names of its SDKs. */
function attributesOf(observation: Fields, metadata: Fields, collector: SpanCollector): Attributes {
  const attributes: Attributes = {};
  const set = (name: string, value: unknown): void => {
    if (value !== undefined && value !== null) collector.set(attributes, name, value);
  };
  set("langfuse.observation.type", textOf(observation["type"]).toLowerCase());
  set("langfuse.observation.input", unpacked(observation["input"]));
  set("langfuse.observation.output", unpacked(observation["output"]));
  set("langfuse.observation.model.name", paths.model.first(observation));
  const tools = toolsOf(observation, metadata);
  if (tools !== undefined) set("gen_ai.tool.definitions", tools);
  for (const [name, value] of Object.entries(fieldsOf(metadata["attributes"]))) set(name, value);
  for (const [name, value] of Object.entries(metadata)) {
    if (!["attributes", "resourceAttributes", "scope", "tools"].includes(name)) {
      set(`langfuse.observation.metadata.${name}`, value);
    }
  }
  return attributes;
}

/** The tools of a generation: by name, or as the list that was taken out of its input. */
function toolsOf(observation: Fields, metadata: Fields): unknown {
  const named = fieldsOf(paths.definitions.first(observation));
  const list = Object.entries(named).flatMap(([name, definition]) => {
    const inner = unpacked(definition);
    return isFields(inner) ? [{ name, ...inner, ...parametersOf(inner) }] : [];
  });
  if (list.length > 0) return list;
  const { tools } = metadata;
  return Array.isArray(tools) ? tools.map(unpacked) : undefined;
}

function parametersOf(definition: Fields): Fields {
  const parameters = unpacked(definition["parameters"]);
  return isFields(parameters) ? { parameters } : {};
}

function fieldsOf(value: unknown): Fields {
  const read = unpacked(value);
  return isFields(read) ? read : {};
}
