/** The formats of evidence, recognised by content. A new format is a new row of its folder's table. */

import { decodeSnapshotFile, looksLikeSnapshotFile } from "../snapshot/file.ts";
import { environmentFormats } from "./environment/formats.ts";
import type { EvidenceFormat } from "./format.ts";
import { kubernetesFormats } from "./kubernetes/formats.ts";
import { logFormats } from "./logs/formats.ts";
import { metricFormats } from "./metrics/formats.ts";
import { otlpJsonFormats, otlpProtobufFormats } from "./otlp/formats.ts";
import { tracingFormats } from "./tracing/formats.ts";
import { transcriptFormats } from "./transcript/formats.ts";

/** In the order in which they are tried: what has the surest marks comes first. */
export const evidenceFormats: readonly EvidenceFormat[] = [
  {
    name: "faultline-snapshot",
    description: "a .faultline snapshot",
    recognise: ({ bytes }) => looksLikeSnapshotFile(bytes),
    read: ({ bytes }) => ({ evidence: decodeSnapshotFile(bytes).evidence, notes: [] }),
  },
  ...otlpJsonFormats,
  ...tracingFormats,
  ...environmentFormats,
  ...transcriptFormats,
  ...kubernetesFormats,
  ...metricFormats,
  ...otlpProtobufFormats,
  ...logFormats,
];

/** The known formats in one sentence. */
export function knownFormats(): string {
  return `${evidenceFormats.map((format) => format.description).join("; ")}; each also as gzip`;
}
