/** Results of promptfoo, DeepEval and Inspect: one document for a whole run. */

import { type Fields, isFields } from "../../model/fields.ts";
import { canonicalJson } from "../../snapshot/canonical-json.ts";
import { textOf } from "../loose-value.ts";
import type { EvaluationBuilder, RunParts } from "./evaluation-builder.ts";

/** Adds what a document holds, and tells what it says of its run; nothing where it is of another tool. */
export type AddDocument = (document: Fields, to: EvaluationBuilder) => RunParts | undefined;

function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  let at: unknown = value;
  for (const key of path) at = isFields(at) ? at[key] : undefined;
  return isFields(at) ? at : {};
}

function listAt(value: unknown, key: string): readonly Fields[] {
  const list = isFields(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isFields) : [];
}

/** `promptfoo eval -o results.json`, of version 2 and 3, and its rows one on each line. */
export const addPromptfoo: AddDocument = (document, to) => {
  const whole = isFields(document["results"]) ? document["results"] : document;
  const rows = isPromptfooRow(document) ? [document] : listAt(whole, "results");
  if (!rows.some(isPromptfooRow)) return undefined;
  for (const row of rows) {
    const provider = row["provider"];
    const grading = fieldsAt(row, "gradingResult");
    const vars = Object.keys(fieldsAt(row, "vars")).length > 0 ? row["vars"] : row["testCase"];
    const prompt = fieldsAt(row, "prompt");
    const failure = typeof row["error"] === "string" && grading["pass"] === undefined;
    to.add({
      id: isFields(vars) ? canonicalJson(vars) : textOf(row["testIdx"]),
      components: {
        model: isFields(provider)
          ? textOf(provider["label"]) || textOf(provider["id"])
          : textOf(provider),
        prompt: textOf(prompt["label"]) || textOf(row["promptId"]) || textOf(prompt["raw"]),
      },
      scores: failure
        ? { passed: false }
        : {
            passed: row["success"] ?? grading["pass"],
            score: row["score"] ?? grading["score"],
            ...fieldsAt(row, "namedScores"),
          },
      error: failure ? textOf(row["error"]) : undefined,
    });
  }
  return {
    suite: textOf(fieldsAt(document, "config")["description"]),
    ran: whole["timestamp"],
  };
};

function isPromptfooRow(row: Fields): boolean {
  return (
    (isFields(row["gradingResult"]) || "success" in row) &&
    ("vars" in row || isFields(row["testCase"])) &&
    "provider" in row
  );
}

/** Test runs of DeepEval, as it keeps them and as its `evaluate` returns them. */
export const addDeepEval: AddDocument = (document, to) => {
  const run = isFields(document["testRunData"]) ? document["testRunData"] : document;
  const cases = [
    ...listAt(run, "testCases"),
    ...listAt(run, "conversationalTestCases"),
    ...listAt(run, "test_results"),
    ...listAt(run, "testResults"),
  ];
  const isOne = "metricsData" in run || "metrics_data" in run;
  const all = isOne ? [run] : cases;
  if (!all.some((item) => "metricsData" in item || "metrics_data" in item)) return undefined;
  for (const item of all) {
    const metrics = [...listAt(item, "metricsData"), ...listAt(item, "metrics_data")];
    const graders = new Set(
      metrics.map((metric) => textOf(metric["evaluationModel"] ?? metric["evaluation_model"])),
    );
    to.add({
      id: textOf(item["input"]) || textOf(item["name"]),
      components: {
        ...textsOf(run["hyperparameters"]),
        ...textsOf(item["hyperparameters"]),
        grader: [...graders].filter((name) => name !== "").join(" "),
      },
      scores: {
        passed: item["success"],
        ...Object.fromEntries(
          metrics.map((metric) => [
            textOf(metric["name"]) || textOf(metric["metric"]),
            metric["score"],
          ]),
        ),
      },
    });
  }
  return { suite: textOf(run["testFile"]) || textOf(run["identifier"]), ran: run["createdAt"] };
};

const componentCountMax = 16;

function textsOf(value: unknown): Record<string, string> {
  return isFields(value)
    ? Object.fromEntries(
        Object.entries(value)
          .slice(0, componentCountMax)
          .map(([key, text]) => [key.slice(0, 64).toWellFormed(), textOf(text)]),
      )
    : {};
}

/** Logs of Inspect in its JSON form. Epochs of one sample are several cases with one id. */
export const addInspect: AddDocument = (document, to) => {
  const about = fieldsAt(document, "eval");
  const samples = listAt(document, "samples");
  if (!("task" in about) || !samples.some((sample) => isFields(sample["scores"]))) return undefined;
  const components = {
    model: textOf(about["model"]),
    task: textOf(about["task_version"]),
    dataset: textOf(fieldsAt(about, "dataset")["name"]),
  };
  for (const sample of samples) {
    const scores: Record<string, unknown> = {};
    for (const [name, score] of Object.entries(fieldsAt(sample, "scores"))) {
      const value = isFields(score) ? score["value"] : score;
      if (isFields(value))
        for (const [part, number] of Object.entries(value)) scores[`${name}.${part}`] = number;
      else scores[name] = value;
    }
    const error = fieldsAt(sample, "error")["message"];
    to.add({
      id: textOf(sample["id"]),
      components,
      scores,
      error: typeof error === "string" ? error : undefined,
    });
  }
  return { suite: textOf(about["task"]), ran: about["created"] };
};
