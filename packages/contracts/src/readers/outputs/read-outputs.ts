/** Reads outputs of a program in our own format. */

import { isFields } from "../../model/fields.ts";
import type { NumericOutput, OutputsContent } from "../../model/outputs.ts";
import type { Measured } from "../../model/training.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { documentsOf } from "../tracing/documents.ts";
import { quoteBareNumbers } from "../training/bare-numbers.ts";
import { measuredOf, NamedValues, present } from "../training/named-values.ts";
import { outputLimits } from "./limits.ts";

const formatVersion = 1;

/** Whether a text begins as recorded outputs. */
export function recogniseOutputs(head: string): boolean {
  return /^[\s\uFEFF]*\{\s*"faultline"\s*:\s*"outputs"/.test(head);
}

/** Reads recordings, each a header and the outputs behind it. */
export function readOutputs(input: FormatInput): FileContent {
  const contents: OutputsContent[] = [];
  let skippedCount = 0;
  let valueCount = 0;
  for (const document of documentsOf(quoteBareNumbers(input.text()))) {
    if (isFields(document) && document["faultline"] === "outputs") {
      contents.push(headerOf(document, input));
      continue;
    }
    const output = isFields(document) ? outputOf(new NamedValues(document)) : undefined;
    const content = contents.at(-1);
    if (output === undefined || content === undefined) {
      skippedCount += 1;
      continue;
    }
    valueCount += output.values.length;
    refuseBeyond(content.outputs.length + 1, "outputCountMax");
    refuseBeyond(valueCount, "valueCountTotalMax");
    content.outputs.push(output);
  }
  const kept = contents.filter(({ outputs }) => outputs.length > 0);
  if (kept.length === 0) {
    throw new EvidenceError("The recording has no output.", {
      expected: "lines with the name, the shape and the values of an output",
    });
  }
  const notes =
    skippedCount === 0
      ? []
      : [`Lines without a name, a shape or values were left out: ${skippedCount}.`];
  return { contents: kept, notes };
}

function headerOf(header: Record<string, unknown>, { name }: FormatInput): OutputsContent {
  if (header["version"] !== formatVersion) {
    throw new EvidenceError("The recording is of another version.", {
      expected: `version ${formatVersion}`,
    });
  }
  const named = new NamedValues(header);
  const role = named.text("role", 16);
  return present({
    kind: "outputs" as const,
    name: named.text("name", 256) ?? cutText(name.replace(/\.\w+$/, ""), 256),
    role: role === "before" || role === "after" ? role : undefined,
    outputs: [],
  });
}

function outputOf(named: NamedValues): NumericOutput | undefined {
  const name = named.text("name", 512);
  const shape = lengthsOf(named.list("shape"), 32);
  const list = named.list("values");
  if (name === undefined || shape === undefined || list === undefined) return undefined;
  refuseBeyond(list.length, "valueCountMax");
  const values = list.map(measuredOf);
  const places = lengthsOf(named.list("places"), outputLimits.valueCountMax);
  const count = shape.reduce((product, length) => product * length, 1);
  const isWhole = values.every((value): value is Measured => value !== undefined);
  if (!isWhole || (places?.length ?? count) !== values.length) return undefined;
  const dtype = named.text("dtype", 64)?.replace(/^torch\./, "");
  return present({ name, shape, dtype, values, places });
}

function lengthsOf(list: readonly unknown[] | undefined, countMax: number): number[] | undefined {
  if (list === undefined || list.length > countMax) return undefined;
  const lengths = list.filter(
    (item): item is number => Number.isSafeInteger(item) && Number(item) >= 0,
  );
  return lengths.length === list.length ? lengths : undefined;
}

function refuseBeyond(
  count: number,
  limit: "outputCountMax" | "valueCountMax" | "valueCountTotalMax",
): void {
  const most = outputLimits[limit];
  if (count <= most) return;
  throw new EvidenceError("The recording is too large.", {
    expected: `at most ${most} ${limit === "outputCountMax" ? "outputs" : "values"}`,
  });
}
