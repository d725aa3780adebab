/** The formats of evidence, recognised by content. A new format is a new row of its folder's table. */

import { decodeSnapshotFile, looksLikeSnapshotFile } from "../snapshot/file.ts";
import { bundleFormats } from "./bundles/formats.ts";
import { changeFormats } from "./changes/formats.ts";
import { environmentFormats } from "./environment/formats.ts";
import {
  evaluationArchiveFormats,
  evaluationFormats,
  plainEvaluationFormats,
} from "./evaluations/formats.ts";
import type { EvidenceFormat } from "./format.ts";
import { goroutineFormats } from "./goroutines/formats.ts";
import { kubernetesFormats } from "./kubernetes/formats.ts";
import { ledgerFormats } from "./ledger/formats.ts";
import { logFormats } from "./logs/formats.ts";
import { metricFormats } from "./metrics/formats.ts";
import { modelFormats } from "./models/formats.ts";
import { operatorFormats } from "./operators/formats.ts";
import { refusalFormats } from "./operators/refusal-text.ts";
import { outputFormats } from "./outputs/formats.ts";
import { otlpJsonFormats, otlpProtobufFormats } from "./otlp/formats.ts";
import { pprofFormats } from "./pprof/formats.ts";
import { resourceFormats } from "./resources/formats.ts";
import { tableFormats } from "./tables/formats.ts";
import { toolListFormats } from "./tool-lists/formats.ts";
import { tracingFormats } from "./tracing/formats.ts";
import { trainingFormats } from "./training/formats.ts";
import { transcriptFormats } from "./transcript/formats.ts";
import { v8Formats } from "./v8/formats.ts";

/** In the order in which they are tried: what has the surest marks comes first. */
export const evidenceFormats: readonly EvidenceFormat[] = [
  // Archives of which the first entry tells whose they are come before those that only a manifest would tell.
  ...evaluationArchiveFormats,
  {
    name: "faultline-snapshot",
    description: "a .faultline snapshot",
    recognise: ({ bytes }) => looksLikeSnapshotFile(bytes),
    read: ({ bytes }) => ({ evidence: decodeSnapshotFile(bytes).evidence, notes: [] }),
  },
  ...modelFormats,
  ...bundleFormats,
  ...ledgerFormats,
  ...otlpJsonFormats,
  ...trainingFormats,
  ...operatorFormats,
  ...outputFormats,
  ...evaluationFormats,
  ...tracingFormats,
  ...changeFormats,
  ...goroutineFormats,
  ...resourceFormats,
  ...v8Formats,
  ...environmentFormats,
  ...toolListFormats,
  ...transcriptFormats,
  ...plainEvaluationFormats,
  ...kubernetesFormats,
  ...tableFormats,
  ...metricFormats,
  ...pprofFormats,
  ...otlpProtobufFormats,
  ...logFormats,
  ...refusalFormats,
];

/** What can be read, in one sentence; the description of each format stands in the table above and on its page. */
export function knownFormats(): string {
  return "traces (OTLP, Jaeger, Zipkin, Tempo, Sentry, Langfuse, LangSmith, Phoenix), Kubernetes objects or what kubectl prints, transcripts of tool calls, metrics (Prometheus, OTLP, tables), logs, environments, changes (git, deploys, flags) and alerts, goroutines and profiles of pprof and V8, what processes hold, models (settings, tokenizers, templates, headers of weights), records of training, lists of tensor operators, outputs to compare, results of evaluations, behaviour bundles, ledgers and invoices, or a .faultline snapshot, each also as gzip (docs/formats/evidence.md lists the forms)";
}
