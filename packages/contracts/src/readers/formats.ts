/** The formats of evidence, recognised by content. A new format is a new row of the table. */

import type { Evidence, KubernetesObject, TranscriptTurn } from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import { decodeSnapshotFile, looksLikeSnapshotFile } from "../snapshot/file.ts";
import { EvidenceError } from "./evidence-error.ts";
import { readKubernetes, recogniseKubernetes } from "./kubernetes/read-kubernetes.ts";
import { decodeOtlpTraces, type OtlpTraces } from "./otlp/otlp.ts";
import { jsonValuesOf } from "./text.ts";
import { readTranscripts } from "./transcript/read-transcript.ts";

/** A file as the formats see it: expanded, and in UTF-8 when it is text. */
export interface FormatInput {
  readonly bytes: Uint8Array;
  /** The beginning of a text; absent for binary data. */
  readonly head: string | undefined;
  /** The whole text; decoded when it is asked for. Throws an `EvidenceError` where it is not UTF-8. */
  text(): string;
}

/** What a file holds, as far as it was read. */
export interface FileContent {
  readonly spans?: readonly Span[];
  readonly objects?: readonly KubernetesObject[];
  /** Each is a transcript of its own. */
  readonly transcripts?: readonly (readonly TranscriptTurn[])[];
  /** Evidence that is already frozen, with its ids. */
  readonly evidence?: readonly Evidence[];
  readonly notes: readonly string[];
}

export interface EvidenceFormat {
  /** For example `otlp-json`; it stands in the evidence's source. */
  readonly name: string;
  /** For people, in the list of what is known. */
  readonly description: string;
  /** Looks at the beginning only, and is never wrong about the formats of the other rows. */
  recognise(input: FormatInput): boolean;
  /** Throws an `EvidenceError` where the file is not what it seemed to be. */
  read(input: FormatInput): FileContent;
}

/** In the order in which they are tried. */
export const evidenceFormats: readonly EvidenceFormat[] = [
  {
    name: "faultline-snapshot",
    description: "a .faultline snapshot",
    recognise: ({ bytes }) => looksLikeSnapshotFile(bytes),
    read: ({ bytes }) => ({ evidence: decodeSnapshotFile(bytes).evidence, notes: [] }),
  },
  {
    name: "otlp-json",
    description: "OTLP traces as JSON, one request or one on each line",
    recognise: ({ head }) =>
      startsAsJson(head) &&
      /"(?:resourceSpans|resource_spans|resourceLogs|resourceMetrics)"\s*:/.test(head),
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
  {
    name: "transcript",
    description: "transcripts of models that call tools, one JSON document or one on each line",
    recognise: ({ head }) =>
      startsAsJson(head) &&
      ((/"role"\s*:\s*"(?:system|developer|user|assistant|tool|function|model)"/.test(head) &&
        /"(?:content|tool_calls|function_call|parts)"\s*:/.test(head)) ||
        /"type"\s*:\s*"(?:function_call|custom_tool_call)"/.test(head)),
    read: (input) => readTranscripts(jsonValuesOf(input.text())),
  },
  {
    name: "kubernetes",
    description:
      "Kubernetes objects as JSON or YAML, or the text of kubectl describe, get and events",
    recognise: ({ head }) => head !== undefined && recogniseKubernetes(head),
    read: (input) => readKubernetes(input.text()),
  },
  {
    name: "otlp-protobuf",
    description: "OTLP traces as protobuf",
    // Field 1 of the request, with a length: no other export request begins otherwise.
    recognise: ({ head, bytes }) => head === undefined && bytes[0] === 0x0a,
    read: ({ bytes }) => contentOfTraces(decodeOtlpTraces(bytes, "protobuf")),
  },
];

/** The known formats in one sentence. */
export function knownFormats(): string {
  return `${evidenceFormats.map((format) => format.description).join("; ")}; each also as gzip`;
}

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

function startsAsJson(head: string | undefined): head is string {
  return head !== undefined && /^\s*[{[]/.test(head);
}
