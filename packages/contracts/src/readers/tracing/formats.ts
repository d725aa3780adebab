/** The formats of tracers other than OpenTelemetry's own protocol. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { readDatadog, recogniseDatadog } from "./datadog.ts";
import { readElastic, recogniseElastic } from "./elastic.ts";
import { readJaeger, recogniseJaeger } from "./jaeger.ts";
import { readLangfuse, recogniseLangfuse } from "./langfuse.ts";
import { readLangsmith, recogniseLangsmith } from "./langsmith.ts";
import { readPhoenix, recognisePhoenix } from "./phoenix.ts";
import {
  readConsoleDump,
  readSdkDump,
  recogniseConsoleDump,
  recogniseSdkDump,
} from "./sdk-dump.ts";
import { readSentry, recogniseSentry } from "./sentry.ts";
import { readSpanRecords, recogniseSpanRecord } from "./span-record.ts";
import { readTempo, recogniseTempo } from "./tempo.ts";
import { readZipkin, recogniseZipkin } from "./zipkin.ts";

export const tracingFormats: readonly EvidenceFormat[] = [
  {
    name: "sentry-event",
    description: "transactions of Sentry with their spans as JSON, alone or in envelopes",
    recognise: ({ head }) => startsAsJson(head) && recogniseSentry(head),
    read: (input) => readSentry(input.text()),
  },
  {
    name: "elastic-apm",
    description:
      "transactions and spans of Elastic APM, as agents send them on lines or as documents of a search",
    recognise: ({ head }) => startsAsJson(head) && recogniseElastic(head),
    read: (input) => readElastic(input.text()),
  },
  {
    name: "datadog-json",
    description: "traces as Datadog's tracers send them, and answers of its API of spans",
    recognise: ({ head }) => startsAsJson(head) && recogniseDatadog(head),
    read: (input) => readDatadog(input.text()),
  },
  {
    name: "langfuse-json",
    description: "observations of Langfuse as JSON, of a trace or one on each line",
    recognise: ({ head }) => startsAsJson(head) && recogniseLangfuse(head),
    read: (input) => readLangfuse(input.text()),
  },
  {
    name: "langsmith-runs",
    description: "runs of LangSmith as JSON, in a tree, a list or one on each line",
    recognise: ({ head }) => startsAsJson(head) && recogniseLangsmith(head),
    read: (input) => readLangsmith(input.text()),
  },
  {
    name: "phoenix-spans",
    description:
      "spans of Phoenix as JSON: rows of its data frame, pages of its API, or one on each line",
    recognise: ({ head }) => startsAsJson(head) && recognisePhoenix(head),
    read: (input) => readPhoenix(input.text()),
  },
  {
    name: "tempo-json",
    description: "traces of Tempo as JSON",
    recognise: ({ head }) => startsAsJson(head) && recogniseTempo(head),
    read: (input) => readTempo(input.text()),
  },
  {
    name: "jaeger-json",
    description: "traces of Jaeger as JSON",
    recognise: ({ head }) => startsAsJson(head) && recogniseJaeger(head),
    read: (input) => readJaeger(input.text()),
  },
  {
    name: "zipkin-json",
    description: "spans of Zipkin as JSON",
    recognise: ({ head }) => startsAsJson(head) && recogniseZipkin(head),
    read: (input) => readZipkin(input.text()),
  },
  {
    name: "otel-sdk-json",
    description: "spans that an SDK of OpenTelemetry printed as JSON",
    recognise: ({ head }) => startsAsJson(head) && recogniseSdkDump(head),
    read: (input) => readSdkDump(input.text()),
  },
  {
    name: "otel-console",
    description: "what the console exporter of OpenTelemetry's JavaScript SDK printed",
    recognise: ({ head }) => head !== undefined && recogniseConsoleDump(head),
    read: (input) => readConsoleDump(input.text()),
  },
  {
    name: "span-records",
    description: "spans as records of JSON with ids, a name, a start and a duration",
    recognise: ({ head }) => startsAsJson(head) && recogniseSpanRecord(head),
    read: (input) => readSpanRecords(input.text()),
  },
];
