/** The text that programs expose for scraping: Prometheus' format and OpenMetrics. */

import type { MetricSeries } from "../../model/evidence.ts";
import type { FileContent } from "../format.ts";
import { timeOfNumber } from "../time-text.ts";
import { typeOfName, unitOf } from "./conventions.ts";
import { parseSample } from "./exposition-sample.ts";
import { metricLimits } from "./limits.ts";
import { SeriesBuilder } from "./series-builder.ts";
import type { TextReading } from "./text-stream.ts";

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
  const reading = new ExpositionReading();
  reading.push(text);
  return reading.end();
}

/** Samples on their way into series, from text that comes in pieces. */
export class ExpositionReading implements TextReading {
  readonly #builder = new SeriesBuilder();
  readonly #types = new Map<string, string>();
  readonly #units = new Map<string, string>();
  #skippedCount = 0;
  /** The beginning of a line whose end has not come, as much of it as is looked at. */
  #begun = "";

  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#begin(text, from, end);
      this.#finishLine();
      from = end + 1;
    }
    this.#begin(text, from, text.length);
  }

  end(): FileContent {
    this.#finishLine();
    if (this.#skippedCount > 0) {
      this.#builder.note(`${this.#skippedCount} lines that are no sample were skipped.`);
    }
    return this.#builder.content("metrics as text");
  }

  #begin(text: string, from: number, end: number): void {
    const room = metricLimits.lineLengthMax - this.#begun.length;
    this.#begun += text.slice(from, Math.min(end, from + room));
  }

  #finishLine(): void {
    const line = this.#begun.trim();
    this.#begun = "";
    if (line.startsWith("#")) this.#describe(line);
    else if (line !== "") this.#addSample(line);
  }

  #describe(line: string): void {
    const type = typeLine.exec(line);
    if (type !== null && this.#types.size < metricLimits.seriesCountMax)
      this.#types.set(unquoted(type[1]), type[2] ?? "");
    const unit = unitLine.exec(line);
    if (unit !== null && this.#units.size < metricLimits.seriesCountMax)
      this.#units.set(unquoted(unit[1]), unit[2] ?? "");
  }

  #addSample(line: string): void {
    const sample = parseSample(line);
    if (sample === undefined) {
      this.#skippedCount += 1;
      return;
    }
    const { name, labels, value, time } = sample;
    const family = familyOf(name, this.#types);
    const unit = this.#units.get(family);
    const series = this.#builder.of({
      name,
      labels,
      ...(unit === undefined ? {} : { unit: unitOf(unit) }),
      type: typeOf(name, this.#types.get(family), labels),
    });
    // Prometheus writes milliseconds, OpenMetrics seconds; the size tells.
    this.#builder.add(series, time === undefined ? undefined : timeOfNumber(time), value);
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
