/** Results with a record for each case: those of lm-evaluation-harness, OpenAI's evals, LangSmith, RAGAS, and plain ones. */

import { type Fields, isFields } from "../../model/fields.ts";
import { canonicalJson } from "../../snapshot/canonical-json.ts";
import { textOf } from "../loose-value.ts";
import { plainName } from "../tables/column-names.ts";
import type { EvaluationBuilder, RunParts } from "./evaluation-builder.ts";

/** Adds a record, and tells what it says of the run; nothing where it is of another tool. */
export type AddRecord = (record: Fields, to: EvaluationBuilder) => RunParts | undefined;

/** Fields of a sample of lm-evaluation-harness that are no metrics. */
const sampleFields = new Set(
  "doc_id doc target arguments resps filtered_resps filter metrics doc_hash prompt_hash target_hash schema_version".split(
    " ",
  ),
);

/** `samples_TASK_TIME.jsonl` of lm-evaluation-harness. */
export const addHarnessSample: AddRecord = (record, to) => {
  if (!("doc_id" in record) || !("resps" in record || "filtered_resps" in record)) return undefined;
  const filter = textOf(record["filter"]);
  const scores = Object.entries(record)
    .filter(([name]) => !sampleFields.has(name))
    .map(([name, value]) => [filter === "" ? name : `${name},${filter}`, value]);
  to.add({
    id: `${textOf(record["doc_id"])} ${textOf(record["doc_hash"])}`.trim(),
    components: {},
    scores: Object.fromEntries(scores),
  });
  return {};
};

/** Events that OpenAI's evals record, and output items of its evals interface. */
export const addOpenAiRecord: AddRecord = (record, to) => {
  const spec = record["spec"];
  if (isFields(spec) && ("completion_fns" in spec || "eval_name" in spec)) {
    return {
      suite: textOf(spec["base_eval"]) || textOf(spec["eval_name"]),
      ran: spec["created_at"],
    };
  }
  if ("final_report" in record) return {};
  if (record["object"] === "eval.run.output_item") {
    const results = Array.isArray(record["results"]) ? record["results"].filter(isFields) : [];
    to.add({
      id: textOf(record["datasource_item_id"]),
      components: { model: textOf(modelOf(record["sample"])) },
      scores: Object.fromEntries(
        results.flatMap((result) => [
          [`${textOf(result["name"])} passed`, result["passed"]],
          [textOf(result["name"]), result["score"]],
        ]),
      ),
    });
    return { suite: textOf(record["eval_id"]) };
  }
  if (!("event_id" in record && "sample_id" in record && isFields(record["data"])))
    return undefined;
  if (record["type"] !== "match" && record["type"] !== "metrics") return {};
  const { correct, ...data } = record["data"];
  to.add({
    id: textOf(record["sample_id"]),
    components: {},
    scores: record["type"] === "match" ? { passed: correct } : { passed: correct, ...data },
  });
  return {};
};

function modelOf(sample: unknown): unknown {
  return isFields(sample) ? sample["model"] : undefined;
}

/** Rows of an experiment of LangSmith, and its runs with what was said of them. */
export const addLangSmith: AddRecord = (record, to) => {
  const results = isFields(record["evaluation_results"])
    ? record["evaluation_results"]["results"]
    : record["feedback"];
  const stats = record["feedback_stats"];
  const example = isFields(record["example"]) ? record["example"] : {};
  const id = textOf(example["id"]) || textOf(record["reference_example_id"]);
  if (id === "" || !(Array.isArray(results) || isFields(stats))) return undefined;
  const scores = Array.isArray(results)
    ? results.filter(isFields).map((result) => [textOf(result["key"]), result["score"]])
    : Object.entries(isFields(stats) ? stats : {}).map(([key, stat]) => [
        key,
        isFields(stat) ? stat["avg"] : undefined,
      ]);
  const run = isFields(record["run"]) ? record["run"] : record;
  to.add({
    id,
    components: { session: textOf(run["session_name"]) || textOf(run["session_id"]) },
    scores: Object.fromEntries(scores),
    error: textOf(run["error"]) || undefined,
  });
  return { ran: run["start_time"] };
};

/** Names that metrics of RAGAS, DeepEval and the like bear, in small letters without anything between the words. */
const metricNames: ReadonlySet<string> = new Set(
  "faithfulness answerrelevancy responserelevancy contextprecision contextrecall contextrelevancy contextrelevance contextutilization contextentityrecall answercorrectness answersimilarity semanticsimilarity factualcorrectness noisesensitivity groundedness relevance coherence correctness conciseness harmfulness maliciousness helpfulness toxicity bias hallucination score passed pass correct success iscorrect ispassed grade accuracy acc exactmatch f1 bleu rouge rougel rouge1 rouge2 meteor bertscore similarity quality".split(
    " ",
  ),
);
const idNames =
  "caseid testid sampleid exampleid questionid promptid taskid itemid docid id userinput question input prompt query".split(
    " ",
  );
/** What a variant is made of, by the plain names of its fields. */
const componentNames: ReadonlyMap<string, string> = new Map([
  ["model", "model"],
  ["modelname", "model"],
  ["variant", "variant"],
  ["arm", "variant"],
  ["version", "variant"],
  ["experiment", "variant"],
  ["system", "variant"],
  ["provider", "provider"],
  ["promptversion", "prompt"],
  ["temperature", "parameters"],
  ["grader", "grader"],
  ["judge", "grader"],
  ["judgemodel", "grader"],
]);
/** Fields of what is no evaluation but a conversation, a trace or a request with something like a score. */
const foreignNames =
  /^(?:messages|conversations?|turns|tooljson|toolcalls|traj|trajectory|traceid|spanid|jsonrpc|choices|tools|functions?)$/;

/** Which fields of a plain record hold what. */
export interface RecordColumns {
  readonly id: string;
  readonly metrics: readonly string[];
  readonly components: readonly (readonly [component: string, name: string])[];
}

/** The fields of a plain record, or of a table's header; nothing where there is no id or no score. */
export function recordColumnsOf(names: readonly string[]): RecordColumns | undefined {
  const plain = new Map(names.map((name) => [plainName(name), name]));
  const foreign = [...plain.keys()].some((name) => foreignNames.test(name));
  const id = idNames.map((name) => plain.get(name)).find((name) => name !== undefined);
  const metrics = [...plain].filter(([name]) => metricNames.has(name)).map(([, name]) => name);
  const scores = plain.get("scores");
  if (foreign || id === undefined || (metrics.length === 0 && scores === undefined))
    return undefined;
  const components = [...plain].flatMap(([name, own]): [string, string][] => {
    const component = componentNames.get(name);
    return component === undefined ? [] : [[component, own]];
  });
  return { id, metrics: scores === undefined ? metrics : [...metrics, scores], components };
}

/** A record whose fields are named in the usual words. */
export const addPlainRecord: AddRecord = (record, to) => {
  const columns = recordColumnsOf(Object.keys(record));
  if (columns === undefined) return undefined;
  const id = record[columns.id];
  const scores: Record<string, unknown> = {};
  for (const name of columns.metrics) {
    const value = record[name];
    if (isFields(value)) Object.assign(scores, value);
    else scores[name] = value;
  }
  to.add({
    id: isFields(id) || Array.isArray(id) ? canonicalJson(id) : textOf(id),
    components: Object.fromEntries(
      columns.components.map(([component, name]) => [component, textOf(record[name])]),
    ),
    scores,
  });
  return {};
};
