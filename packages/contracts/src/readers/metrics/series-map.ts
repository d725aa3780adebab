/** Series as an object of JSON: under each name a list of times and values. */

import { isFields } from "../../model/fields.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { jsonValuesOf } from "../text.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { typeOfName } from "./conventions.ts";
import { SeriesBuilder } from "./series-builder.ts";

/** Whether a text begins as `{"cart_cpu": [[1700000000, 0.2], …`. */
export function recogniseSeriesMap(head: string): boolean {
  const start =
    /^\s*\{\s*"[^"]{1,512}"\s*:\s*\[\s*\[\s*("[^"]{8,40}"|\d{9,20}(?:\.\d{1,9})?)\s*,\s*(?:-?\d|null|"|NaN)/.exec(
      head.slice(0, 4_096),
    );
  return start !== null && timeOfText((start[1] ?? "").replaceAll('"', "")) !== undefined;
}

/** Reads every pair of every list. */
export function readSeriesMap(input: FormatInput): FileContent {
  const builder = new SeriesBuilder();
  for (const document of jsonValuesOf(
    input.text().replaceAll(/(?<=[,[]\s?)NaN(?=\s?[\],])/g, "null"),
  )) {
    if (!isFields(document)) continue;
    for (const [name, pairs] of Object.entries(document)) {
      if (!Array.isArray(pairs) || name === "") continue;
      const list: unknown[] = pairs;
      const series = builder.of({ name, labels: {}, type: typeOfName(name, {}) });
      for (const pair of list) {
        if (!Array.isArray(pair)) continue;
        const [time, value]: unknown[] = pair;
        const micros = momentOf(time);
        if (micros === undefined || value === null) continue;
        builder.add(series, micros, numberOf(value));
      }
    }
  }
  return builder.content("series by name");
}

/** Not a number for what is none: an empty text is no zero. */
function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

function momentOf(time: unknown): number | undefined {
  if (typeof time === "number") return timeOfNumber(time);
  return typeof time === "string" ? timeOfText(time) : undefined;
}
