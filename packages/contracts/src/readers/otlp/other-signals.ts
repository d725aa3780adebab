/** OTLP's other signals as evidence: log records as logs, data points as metrics. */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { logsOf } from "../logs/otlp-logs.ts";
import { metricsOf } from "../metrics/otlp-metrics.ts";
import { decodeOtlpLogs, decodeOtlpMetrics } from "./otlp.ts";

/** Whether a text begins with logs or metrics of OTLP. */
export function recogniseOtherSignals(head: string): boolean {
  return /"resource(?:Logs|Metrics)"\s*:/.test(head);
}

/** Reads the logs and the metrics of a text; a collector may write both into one file. */
export function readOtherSignals(bytes: Uint8Array, text: string): FileContent {
  const parts: FileContent[] = [];
  if (/"resourceLogs"\s*:/.test(text)) parts.push(logsOf(decodeOtlpLogs(bytes, "json")));
  if (/"resourceMetrics"\s*:/.test(text)) parts.push(metricsOf(decodeOtlpMetrics(bytes, "json")));
  return joined(parts);
}

/** What one file holds of several signals. */
export function joined(parts: readonly FileContent[]): FileContent {
  return {
    spans: parts.flatMap((part) => part.spans ?? []),
    contents: parts.flatMap((part) => part.contents ?? []),
    notes: parts.flatMap((part) => part.notes),
  };
}

/** Protobuf does not say which signal it is: what reads as one without a fault is that one. */
export function readOtherProtobuf(bytes: Uint8Array): FileContent | undefined {
  const attempts = [
    () => logsOf(decodeOtlpLogs(bytes, "protobuf")),
    () => metricsOf(decodeOtlpMetrics(bytes, "protobuf")),
  ];
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      // That it does not read as this signal is the answer.
      if (!(error instanceof EvidenceError)) throw error;
    }
  }
  return undefined;
}
