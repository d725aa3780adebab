/** Spans of Zipkin's first version, where annotations say what later versions have fields for. */

import { type Fields, isFields } from "../../model/fields.ts";
import { numberOf, textOf } from "../loose-value.ts";

/** A side of a call, by the annotations that begin and end it. */
const sides = [
  { kind: "CLIENT", begin: "cs", end: "cr", remote: "sa" },
  { kind: "SERVER", begin: "sr", end: "ss", remote: "ca" },
  { kind: "PRODUCER", begin: "ms", end: "ws", remote: "ma" },
  { kind: "CONSUMER", begin: "mr", end: "wr", remote: "ma" },
] as const;

/** The span as version 2 has it: one for each side that recorded it. */
export function secondVersionOf(span: Fields): Fields[] {
  const annotations = listOf(span["annotations"]);
  const binary = listOf(span["binaryAnnotations"]);
  const timeOf = (value: string): number | undefined =>
    numberOf(annotations.find((item) => item["value"] === value)?.["timestamp"]);
  const found = sides.filter(
    (side) => timeOf(side.begin) !== undefined || timeOf(side.end) !== undefined,
  );
  const core = new Set<unknown>(sides.flatMap((side) => [side.begin, side.end]));
  const others = annotations.filter((item) => !core.has(item["value"]));
  if (found.length === 0) {
    const endpoint = [...annotations, ...binary].map((item) => item["endpoint"]).find(isFields);
    return [{ ...base(span), tags: tagsOf(binary), annotations: others, localEndpoint: endpoint }];
  }
  return found.map((side, index) => {
    const begin = timeOf(side.begin);
    const end = timeOf(side.end);
    const measured = begin === undefined || end === undefined ? undefined : end - begin;
    const isFirst = index === 0;
    const own = annotations.find(
      (item) => item["value"] === side.begin || item["value"] === side.end,
    );
    return {
      ...base(span),
      kind: side.kind,
      // Only the side that began the span may say when it did, and for how long.
      timestamp: isFirst ? (numberOf(span["timestamp"]) ?? begin) : begin,
      duration: isFirst ? (numberOf(span["duration"]) ?? measured) : measured,
      localEndpoint: own?.["endpoint"],
      remoteEndpoint: binary.find((item) => item["key"] === side.remote)?.["endpoint"],
      tags: isFirst ? tagsOf(binary) : {},
      annotations: isFirst ? others : [],
      ...(found.length > 1 && side.kind === "SERVER" ? { shared: true } : {}),
    };
  });
}

function base(span: Fields): Fields {
  const { traceId, id, parentId, name, timestamp, duration } = span;
  return { traceId, id, parentId, name, timestamp, duration };
}

function tagsOf(binary: readonly Fields[]): Fields {
  const pairs = binary
    .filter((item) => !["sa", "ca", "ma"].includes(textOf(item["key"])))
    .map((item): [string, unknown] => [textOf(item["key"]), item["value"]]);
  return Object.fromEntries(pairs);
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
