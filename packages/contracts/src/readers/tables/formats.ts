/** Tables whose rows are spans, lines of logs, or calls between services. Those of metrics have a reader of their own. */

import { EvidenceError } from "../evidence-error.ts";
import type { EvidenceFormat, FileContent, FormatInput } from "../format.ts";
import { cellsOf, type Delimiter, rowsOf } from "../metrics/csv.ts";
import { scoreRowsOf } from "../evaluations/score-table.ts";
import { callColumnsOf, CallMatrixRows, CallRows, isCallMatrix } from "./call-table.ts";
import { LogRows, logColumnsOf } from "./log-table.ts";
import { SpanRows, spanColumnsOf } from "./span-table.ts";
import { headerOf, type RowSink, TableStream } from "./table-stream.ts";

type Open = (input: FormatInput) => { delimiter: Delimiter; sink: RowSink } | undefined;

/** What takes the rows, by the names of the header. */
function byHeader(
  sinkOf: (header: readonly string[], input: FormatInput) => RowSink | undefined,
): Open {
  return (input) => {
    const header = headerOf(input.head);
    const sink = header === undefined ? undefined : sinkOf(header.names, input);
    return header === undefined || sink === undefined
      ? undefined
      : { delimiter: header.delimiter, sink };
  };
}

const openSpans = byHeader((header) => {
  const columns = spanColumnsOf(header);
  return columns === undefined ? undefined : new SpanRows(columns);
});
const openLogs = byHeader((header) => {
  const columns = logColumnsOf(header);
  return columns === undefined ? undefined : new LogRows(columns);
});
const openCalls = byHeader((header) => {
  const columns = callColumnsOf(header);
  return columns === undefined ? undefined : new CallRows(columns);
});

const openScores = byHeader(scoreRowsOf);

/** Rows of a square table that are looked at. */
const matrixRowCountMax = 5;

const openMatrix: Open = ({ head }) => {
  const header = headerOf(head);
  if (header === undefined || head === undefined) return undefined;
  const table: string[][] = [];
  for (const row of rowsOf(head)) {
    table.push(cellsOf(row, header.delimiter));
    if (table.length > matrixRowCountMax) break;
  }
  // The last row that is seen may be cut.
  if (table.length > 2) table.pop();
  return isCallMatrix(table)
    ? { delimiter: header.delimiter, sink: new CallMatrixRows(header.names) }
    : undefined;
};

function table(name: string, description: string, open: Open): EvidenceFormat {
  return {
    name,
    description,
    recognise: (input) => open(input) !== undefined,
    read: (input) => readWhole(input, open),
    open: (input) => streamOf(input, open),
  };
}

function readWhole(input: FormatInput, open: Open): FileContent {
  const stream = streamOf(input, open);
  if (stream === undefined) {
    throw new EvidenceError("The file does not begin as a table of this kind.", {
      expected: "a header that names the columns",
      where: "line 1",
    });
  }
  stream.pushText(input.text());
  return stream.endText();
}

function streamOf(input: FormatInput, open: Open): TableStream | undefined {
  const found = open(input);
  return found === undefined ? undefined : new TableStream(found.delimiter, found.sink);
}

export const tableFormats: readonly EvidenceFormat[] = [
  table("spans-csv", "spans as a table with ids, a start and a length", openSpans),
  table("logs-csv", "lines of logs as a table with times, texts and who wrote them", openLogs),
  table("calls-csv", "who calls whom as a table with a row for each call", openCalls),
  table("call-matrix-csv", "who calls whom as a square table of services", openMatrix),
  table("evaluation-csv", "evaluations as a table with a case in each row", openScores),
];
