/** The text that programs expose for scraping: Prometheus' format and OpenMetrics. */

import type { MetricSeries } from "../../model/evidence.ts";
import type { FileContent } from "../format.ts";
import { timeOfNumber } from "../time-text.ts";
import { typeOfName, unitOf } from "./conventions.ts";
import { parseSample } from "./exposition-sample.ts";
import { metricLimits } from "./limits.ts";
import { SeriesBuilder } from "./series-builder.ts";

const typeLine = /^#\s{0,4}TYPE\s+(\S+)\s+(\w+)/;
const unitLine = /^#\s{0,4}UNIT\s+(\S+)\s+(\S+)/;
const recognitionLineCountMax = 200;

/** Whether a text begins with what stands above metrics, and has samples of them. */
export function recogniseExposition(head: string): boolean {
  const lines = head.split("\n", recognitionLineCountMax + 1);
  if (lines.length > 1) lines.pop();
  let described = 0;
  let samples = 0;
  for (const line of lines) {
    if (line.trim() === "") continue;
    if (/^#\s{0,4}(?:TYPE|HELP|UNIT)\s+\S/.test(line) || /^#\s?EOF\s*$/.test(line)) described += 1;
    else if (line.startsWith("#")) continue;
    else if (parseSample(line) === undefined) return false;
    else samples += line.includes("{") || described > 0 ? 1 : 0;
  }
  return samples > 0 && (described > 0 || samples >= 2);
}

/** Reads every sample of a text. */
export function readExposition(text: string): FileContent {
  const builder = new SeriesBuilder();
  const types = new Map<string, string>();
  const units = new Map<string, string>();
  let skippedCount = 0;
  for (const line of linesOf(text)) {
    if (line.startsWith("#")) {
      const type = typeLine.exec(line);
      if (type !== null && types.size < metricLimits.seriesCountMax)
        types.set(unquoted(type[1]), type[2] ?? "");
      const unit = unitLine.exec(line);
      if (unit !== null && units.size < metricLimits.seriesCountMax)
        units.set(unquoted(unit[1]), unit[2] ?? "");
      continue;
    }
    const sample = parseSample(line);
    if (sample === undefined) {
      skippedCount += 1;
      continue;
    }
    const { name, labels, value, time } = sample;
    const family = familyOf(name, types);
    const unit = units.get(family);
    const series = builder.of({
      name,
      labels,
      ...(unit === undefined ? {} : { unit: unitOf(unit) }),
      type: typeOf(name, types.get(family), labels),
    });
    // Prometheus writes milliseconds, OpenMetrics seconds; the size tells.
    builder.add(series, time === undefined ? undefined : timeOfNumber(time), value);
  }
  if (skippedCount > 0) builder.note(`${skippedCount} lines that are no sample were skipped.`);
  return builder.content("metrics as text");
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const next = text.indexOf("\n", from);
    const end = next < 0 ? text.length : next;
    const line = text.slice(from, Math.min(end, from + metricLimits.lineLengthMax)).trim();
    from = end + 1;
    if (line !== "") yield line;
  }
}

function unquoted(name = ""): string {
  return name.replace(/^"|"$/g, "");
}

/** The metric that a sample is part of: `x` of `x_bucket`, where `x` is declared. */
function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  if (types.has(name)) return name;
  const family = name.replace(/_(?:bucket|count|sum|total|created|info|gcount|gsum)$/, "");
  return types.has(family) ? family : name;
}

function typeOf(
  name: string,
  type: string | undefined,
  labels: Readonly<Record<string, string>>,
): MetricSeries["type"] {
  switch (type) {
    case "counter":
      return name.endsWith("_created") ? "gauge" : "counter";
    case "histogram":
    case "summary":
      return /_(?:bucket|count|sum)$/.test(name) ? "counter" : "gauge";
    case "gauge":
    case "gaugehistogram":
    case "info":
    case "stateset":
      return "gauge";
    default:
      return typeOfName(name, labels);
  }
}
