/** Answers of Prometheus' query API, and of all that speak it: Thanos, Mimir, VictoriaMetrics. */

import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { jsonValuesOf } from "../text.ts";
import { stemOf, typeOfName } from "./conventions.ts";
import { type OpenSeries, SeriesBuilder } from "./series-builder.ts";

/** Whether a text begins as an answer, or as the list in one. */
export function recognisePrometheusJson(head: string): boolean {
  return (
    /"resultType"\s*:\s*"(?:matrix|vector|scalar)"/.test(head) ||
    /^\s*\[?\s*\{\s*"metric"\s*:\s*\{[^{}]{0,8192}\}\s*,\s*"values?"\s*:\s*\[/.test(head) ||
    (/^\s*\{\s*"status"\s*:\s*"error"\s*,/.test(head) && /"errorType"\s*:/.test(head))
  );
}

/** Reads every series of every answer. */
export function readPrometheusJson(input: FormatInput): FileContent {
  const builder = new SeriesBuilder();
  const reading = { builder, stem: stemOf(input.name) };
  for (const document of jsonValuesOf(input.text())) readAnswer(document, reading);
  return builder.content("Prometheus");
}

interface Reading {
  readonly builder: SeriesBuilder;
  /** What a series without a name is called. */
  readonly stem: string;
}

function readAnswer(answer: unknown, reading: Reading): void {
  if (Array.isArray(answer)) {
    for (const item of answer) readAnswer(item, reading);
  } else if (isFields(answer)) {
    if (answer["status"] === "error") throw queryFailed(answer);
    if (isFields(answer["data"])) readAnswer(answer["data"], reading);
    else if (Array.isArray(answer["result"])) readResult(answer, answer["result"], reading);
    else if (isFields(answer["metric"])) readSeries(answer, reading);
  }
}

function queryFailed(answer: Fields): EvidenceError {
  const reason = typeof answer["error"] === "string" ? `: ${answer["error"].slice(0, 500)}` : "";
  return new EvidenceError(`The query failed${reason}.`, {
    expected: "an answer with the status success",
    where: "/status",
  });
}

function readResult(data: Fields, result: readonly unknown[], reading: Reading): void {
  if (data["resultType"] === "scalar") {
    const series = reading.builder.of({ name: reading.stem, labels: {}, type: "unknown" });
    addPair(series, result, reading);
    return;
  }
  for (const item of result) if (isFields(item)) readSeries(item, reading);
}

function readSeries(item: Fields, reading: Reading): void {
  const metric = isFields(item["metric"]) ? item["metric"] : {};
  const texts = Object.entries(metric).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const labels = Object.fromEntries(texts.filter(([name]) => name !== "__name__"));
  const written = metric["__name__"];
  const hasName = typeof written === "string" && written !== "";
  const name = hasName ? written : reading.stem;
  if (!hasName) reading.builder.note("A series without a name is called as its file.");
  const series = reading.builder.of({ name, labels, type: typeOfName(name, labels) });
  if (Array.isArray(item["value"])) addPair(series, item["value"], reading);
  for (const pair of Array.isArray(item["values"]) ? item["values"] : []) {
    if (Array.isArray(pair)) addPair(series, pair, reading);
  }
  const histograms =
    item["histograms"] ?? (item["histogram"] === undefined ? [] : [item["histogram"]]);
  for (const pair of Array.isArray(histograms) ? histograms : []) {
    if (Array.isArray(pair)) readHistogram({ name, labels }, pair, reading);
  }
}

/** A native histogram: its count and sum as series of their own. */
function readHistogram(
  { name, labels }: { name: string; labels: Record<string, string> },
  [time, histogram]: readonly unknown[],
  reading: Reading,
): void {
  if (!isFields(histogram)) return;
  reading.builder.note("Of native histograms the count and the sum were kept.");
  for (const part of ["count", "sum"]) {
    const series = reading.builder.of({ name: `${name}_${part}`, labels, type: "counter" });
    addPair(series, [time, histogram[part]], reading);
  }
}

/** A time in seconds and a value as text. */
function addPair(
  series: OpenSeries,
  [time, value]: readonly unknown[],
  { builder }: Reading,
): void {
  if (typeof time !== "number" || !Number.isFinite(time) || time < 0) return;
  const isText = typeof value === "string" && value.trim() !== "";
  const number = typeof value === "number" ? value : isText ? Number(value) : Number.NaN;
  builder.add(series, Math.round(time * 1e6), number);
}
