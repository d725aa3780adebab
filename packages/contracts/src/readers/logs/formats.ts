/** The formats of logs. Plain text is tried last of all, because nearly everything is text. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { openLog } from "./log-stream.ts";
import { readLogDocument, recogniseLogDocument } from "./read-log-document.ts";
import { readLog } from "./read-log.ts";
import { recogniseJsonLog, recogniseRecordedLog, recogniseTextLog } from "./recognise.ts";

export const logFormats: readonly EvidenceFormat[] = [
  {
    name: "kubectl-logs",
    description: "what kubectl logs printed, with the call above it or in the file's name",
    recognise: recogniseRecordedLog,
    read: readLog,
    open: openLog,
  },
  {
    name: "json-log",
    description: "logs with a record of JSON on each line",
    recognise: recogniseJsonLog,
    read: readLog,
    open: openLog,
  },
  {
    name: "json-log-document",
    description: "logs as Loki, CloudWatch, Elasticsearch or Google's command line answer them",
    recognise: ({ head }) => startsAsJson(head) && recogniseLogDocument(head),
    read: readLogDocument,
  },
  {
    name: "text-log",
    description: "logs as text with times or levels",
    recognise: recogniseTextLog,
    read: readLog,
    open: openLog,
  },
];
