/** OTLP export requests, in protobuf or JSON, as spans, log records and data points. */

import type { LogRecord } from "../../model/log.ts";
import type { MetricPoint } from "../../model/metric.ts";
import type { Span } from "../../model/span.ts";
import { JsonMismatch, type JsonObject, readJsonDocuments } from "./json.ts";
import { readLogs } from "./json-logs.ts";
import { readMetrics } from "./json-metrics.ts";
import { JsonSpanStream } from "./json-stream.ts";
import { OtlpTally, type Rejected } from "./tally.ts";
import { readWire } from "./wire.ts";
import { logsRequest, metricsRequest, readMessage } from "./wire-message.ts";
import { WireSpanStream } from "./wire-stream.ts";

export type { Rejected } from "./tally.ts";

/** `json` is one request, or one for each line as the collector's file exporter writes them. */
export type OtlpEncoding = "protobuf" | "json";

export interface OtlpResult {
  /** Records that broke a rule of their own; all others were read. */
  readonly rejected: Rejected;
  /** What was cut, dropped or assumed, one sentence each. */
  readonly notes: string[];
}
export interface OtlpTraces extends OtlpResult {
  readonly spans: Span[];
}
export interface OtlpLogs extends OtlpResult {
  readonly records: LogRecord[];
}
export interface OtlpMetrics extends OtlpResult {
  readonly points: MetricPoint[];
}

/** Reads an ExportTraceServiceRequest. Throws `EvidenceError` when the body as a whole cannot be read. */
export function decodeOtlpTraces(bytes: Uint8Array, encoding: OtlpEncoding): OtlpTraces {
  const stream = new OtlpTraceStream(encoding);
  stream.push(bytes);
  return stream.end();
}

/** Reads spans as their bytes come in. Any call throws the `EvidenceError` of a body that cannot be read. */
export class OtlpTraceStream {
  readonly #spans: Span[] = [];
  readonly #tally = new OtlpTally();
  readonly #stream: JsonSpanStream | WireSpanStream;

  constructor(encoding: OtlpEncoding) {
    const Stream = encoding === "json" ? JsonSpanStream : WireSpanStream;
    this.#stream = new Stream(this.#spans, this.#tally);
  }

  /** How many spans were read so far. */
  get spanCount(): number {
    return this.#spans.length;
  }

  /** Takes a chunk, which is the sender's again when this returns. */
  push(chunk: Uint8Array): void {
    this.#stream.push(chunk);
  }

  end(): OtlpTraces {
    this.#stream.end();
    return { spans: this.#spans, ...resultOf(this.#tally) };
  }
}

/** Reads an ExportLogsServiceRequest. Throws `EvidenceError` when the body as a whole cannot be read. */
export function decodeOtlpLogs(bytes: Uint8Array, encoding: OtlpEncoding): OtlpLogs {
  const tally = new OtlpTally();
  const records: LogRecord[] = [];
  readEither(bytes, {
    encoding,
    message: logsRequest,
    read: (root) => readLogs(root, records, tally),
  });
  return { records, ...resultOf(tally) };
}

/** Reads an ExportMetricsServiceRequest. Throws `EvidenceError` when the body as a whole cannot be read. */
export function decodeOtlpMetrics(bytes: Uint8Array, encoding: OtlpEncoding): OtlpMetrics {
  const tally = new OtlpTally();
  const points: MetricPoint[] = [];
  readEither(bytes, {
    encoding,
    message: metricsRequest,
    read: (root) => readMetrics(root, points, tally),
  });
  return { points, ...resultOf(tally) };
}

function readEither(
  bytes: Uint8Array,
  options: {
    encoding: OtlpEncoding;
    message: Parameters<typeof readMessage>[1];
    read: (root: JsonObject) => void;
  },
): void {
  if (options.encoding === "json") {
    readDocuments(bytes, options.read);
  } else {
    const root = readWire(bytes, (reader) => readMessage(reader, options.message));
    options.read(root);
  }
}

function readDocuments(bytes: Uint8Array, read: (root: JsonObject) => void): void {
  for (const document of readJsonDocuments(bytes)) {
    try {
      read(document.root);
    } catch (error) {
      throw error instanceof JsonMismatch ? error.toEvidenceError(document.line) : error;
    }
  }
}

function resultOf(tally: OtlpTally): OtlpResult {
  return { rejected: tally.rejected, notes: tally.notes };
}
