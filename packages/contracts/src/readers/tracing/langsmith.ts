/** Runs of LangSmith: as a list, one on each line, or as a tree with `child_runs`. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { timeOfValue } from "../time-text.ts";
import { itemsOf } from "./documents.ts";
import { textOf } from "../loose-value.ts";
import { SpanCollector } from "./span-collector.ts";

/** Whether a text begins with runs that have a place in a trace. */
export function recogniseLangsmith(head: string): boolean {
  return (
    /"run_type"\s*:/.test(head) &&
    /"start_time"\s*:/.test(head) &&
    /"(?:dotted_order|trace_id|child_runs|parent_run_id)"\s*:/.test(head)
  );
}

/** Reads every run of a text. */
export function readLangsmith(text: string): FileContent {
  const collector = new SpanCollector();
  for (const item of itemsOf(text)) {
    if (!isFields(item)) continue;
    const { runs } = item;
    for (const run of Array.isArray(runs) ? runs : [item]) {
      if (isFields(run)) addRun(run, { traceId: "", parentId: "" }, collector);
    }
  }
  return collector.content("LangSmith");
}

interface Place {
  readonly traceId: string;
  readonly parentId: string;
}

function addRun(run: Fields, place: Place, collector: SpanCollector): void {
  const id = textOf(run["id"]);
  const traceId = textOf(run["trace_id"]) || place.traceId || id;
  const failure = textOf(run["error"]);
  const start = timeOfValue(run["start_time"]);
  collector.add({
    traceId,
    spanId: id,
    parentSpanId: textOf(run["parent_run_id"]) || place.parentId,
    name: textOf(run["name"]),
    kind: 1,
    startMicros: start,
    endMicros: timeOfValue(run["end_time"]) ?? start,
    attributes: collector.bounded(attributesOf(run, collector)),
    statusCode: failure === "" ? 0 : 2,
    statusMessage: failure,
    resource: resourceOf(run),
  });
  const { child_runs: children } = run;
  for (const child of Array.isArray(children) ? children : []) {
    if (isFields(child)) addRun(child, { traceId, parentId: id }, collector);
  }
}

/** What a run took and gave, under the names of LangSmith's own exporter. */
function attributesOf(run: Fields, collector: SpanCollector): Attributes {
  const attributes: Attributes = {};
  const extra = fieldsOf(run["extra"]);
  const set = (name: string, value: unknown): void => {
    if (value !== undefined && value !== null) collector.set(attributes, name, value);
  };
  set("langsmith.span.kind", textOf(run["run_type"]));
  set("gen_ai.prompt", run["inputs"]);
  set("gen_ai.completion", run["outputs"]);
  const parameters = fieldsOf(extra["invocation_params"]);
  set("gen_ai.tool.definitions", parameters["tools"] ?? parameters["functions"]);
  set("gen_ai.request.model", parameters["model"] ?? parameters["model_name"]);
  for (const [name, value] of Object.entries(fieldsOf(extra["metadata"]))) {
    set(`langsmith.metadata.${name}`, value);
  }
  return attributes;
}

function resourceOf(run: Fields): Attributes {
  const project = textOf(run["session_name"] ?? run["project_name"]);
  return project === "" ? {} : { "service.name": project };
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
