/** The formats of OpenTelemetry. */

import { EvidenceError } from "../evidence-error.ts";
import { type EvidenceFormat, type FileContent, startsAsJson } from "../format.ts";
import { recogniseTempo } from "../tracing/tempo.ts";
import { decodeOtlpTraces, type OtlpTraces } from "./otlp.ts";

export const otlpJsonFormats: readonly EvidenceFormat[] = [
  {
    name: "otlp-json",
    description: "OTLP traces as JSON, one request or one on each line",
    recognise: ({ head }) =>
      startsAsJson(head) &&
      /"(?:resourceSpans|resource_spans|resourceLogs|resourceMetrics)"\s*:/.test(head) &&
      // Tempo puts more around the same names, and its ids are base64.
      !recogniseTempo(head),
    read: (input) => {
      const { bytes, head } = input;
      const spansField = /"(?:resourceSpans|resource_spans)"\s*:/;
      if (!spansField.test(head ?? "") && !spansField.test(input.text())) {
        throw new EvidenceError("The file holds OTLP logs or metrics, which no contract reads.", {
          expected: "traces, in resourceSpans",
          where: "line 1, column 1",
        });
      }
      return contentOfTraces(decodeOtlpTraces(bytes, "json"));
    },
  },
];

/** Tried last, because binary data has few marks. */
export const otlpProtobufFormats: readonly EvidenceFormat[] = [
  {
    name: "otlp-protobuf",
    description: "OTLP traces as protobuf",
    // Field 1 of the request, with a length: no other export request begins otherwise.
    recognise: ({ head, bytes }) => head === undefined && bytes[0] === 0x0a,
    read: ({ bytes }) => contentOfTraces(decodeOtlpTraces(bytes, "protobuf")),
  },
];

function contentOfTraces({ spans, rejected, notes }: OtlpTraces): FileContent {
  const reasons = rejected.reasons.join("; ");
  if (spans.length === 0) {
    throw new EvidenceError(
      rejected.count > 0
        ? `None of ${rejected.count} spans can be read: ${reasons}.`
        : "The file holds no spans.",
      { expected: "at least one span in resourceSpans", where: "/resourceSpans" },
    );
  }
  return {
    spans,
    notes:
      rejected.count === 0
        ? notes
        : [...notes, `${rejected.count} spans were left out: ${reasons}.`],
  };
}
