/** The formats of OpenTelemetry. */

import { EvidenceError } from "../evidence-error.ts";
import {
  type EvidenceFormat,
  type FileContent,
  type FormatStream,
  startsAsJson,
} from "../format.ts";
import { recogniseTempo } from "../tracing/tempo.ts";
import {
  joined,
  readOtherProtobuf,
  readOtherSignals,
  recogniseOtherSignals,
} from "./other-signals.ts";
import { decodeOtlpTraces, type OtlpEncoding, type OtlpTraces, OtlpTraceStream } from "./otlp.ts";

export const otlpJsonFormats: readonly EvidenceFormat[] = [
  {
    name: "otlp-json",
    description: "OTLP traces as JSON, one request or one on each line",
    recognise: ({ head }) =>
      startsAsJson(head) &&
      /"(?:resourceSpans|resource_spans)"\s*:/.test(head) &&
      // Tempo puts more around the same names, and its ids are base64.
      !recogniseTempo(head),
    read: ({ bytes }) => contentOfTraces(decodeOtlpTraces(bytes, "json")),
    open: () => openTraces("json"),
  },
  {
    name: "otlp-json-signals",
    description: "OTLP logs and metrics as JSON, one request or one on each line",
    recognise: ({ head }) => startsAsJson(head) && recogniseOtherSignals(head),
    read: (input) => {
      const text = input.text();
      const other = readOtherSignals(input.bytes, text);
      // A collector may write traces further down in the same file.
      if (!/"resourceSpans"\s*:/.test(text)) return other;
      return joined([contentOfTraces(decodeOtlpTraces(input.bytes, "json")), other]);
    },
  },
];

/** Tried last, because binary data has few marks. */
export const otlpProtobufFormats: readonly EvidenceFormat[] = [
  {
    name: "otlp-protobuf",
    description: "OTLP traces, logs or metrics as protobuf",
    // Field 1 of the request, with a length: no other export request begins otherwise.
    recognise: ({ head, bytes }) => head === undefined && bytes[0] === 0x0a,
    read: ({ bytes }) => {
      try {
        return contentOfTraces(decodeOtlpTraces(bytes, "protobuf"));
      } catch (error) {
        const other = error instanceof EvidenceError ? readOtherProtobuf(bytes) : undefined;
        if (other === undefined) throw error;
        return other;
      }
    },
    open: ({ bytes }) => (beginsWithSpans(bytes) ? openTraces("protobuf") : undefined),
  },
];

function openTraces(encoding: OtlpEncoding): FormatStream {
  const stream = new OtlpTraceStream(encoding);
  return {
    get spanCount() {
      return stream.spanCount;
    },
    push: (chunk) => stream.push(chunk),
    end: () => contentOfTraces(stream.end()),
  };
}

/** Whether the beginning of a file gives spans: requests of logs and metrics begin with the same bytes. */
function beginsWithSpans(beginning: Uint8Array): boolean {
  const stream = new OtlpTraceStream("protobuf");
  try {
    stream.push(beginning);
  } catch (error) {
    if (error instanceof EvidenceError) return false;
    throw error;
  }
  return stream.spanCount > 0;
}

function contentOfTraces({ spans, rejected, notes }: OtlpTraces): FileContent {
  const reasons = rejected.reasons.join(" ");
  if (spans.length === 0) {
    throw new EvidenceError(
      rejected.count > 0
        ? `None of ${rejected.count} spans can be read: ${reasons}`
        : "The file holds no spans.",
      { expected: "at least one span in resourceSpans", where: "/resourceSpans" },
    );
  }
  return {
    spans,
    notes:
      rejected.count === 0
        ? notes
        : [...notes, `${rejected.count} spans were left out: ${reasons}`],
  };
}
