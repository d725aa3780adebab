/** Metrics as tables: long (a time, a name and a value in each row) or wide (a time, and a column for each series). */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { timeOfText } from "../time-text.ts";
import { stemOf, typeOfName } from "./conventions.ts";
import { cellsOf, type Delimiter, delimiterOf, RowJoiner, rowsOf } from "./csv.ts";
import { metricLimits } from "./limits.ts";
import { SeriesBuilder } from "./series-builder.ts";
import { type StackedColumn, stackedHeaderOf } from "./stacked-header.ts";
import type { TextReading } from "./text-stream.ts";

/** What the columns of a table are. */
interface Layout {
  readonly delimiter: Delimiter;
  readonly names: readonly string[];
  readonly headerRowCount: number;
  /** Of a header of several rows: what stands above each column. */
  readonly stacked: readonly StackedColumn[] | undefined;
  readonly time: number;
  /** Of a long table: the columns of the metric's name and its value. */
  readonly long: { readonly name: number | undefined; readonly value: number } | undefined;
  /** Of a wide table: the columns of numbers. */
  readonly series: readonly number[];
  readonly labels: readonly number[];
  /** Times count from the beginning of the recording. */
  readonly isRelative: boolean;
}

const timeName =
  /^(?:_?time|time_?stamp|ts|t|date_?time|date|datetime_utc|time \(.*\)|epoch|_time|unix_?time(?:stamp)?|@timestamp|clock|observed_at|collected_at|start_?time)(?:_?(?:s|sec|seconds|ms|us|ns|utc|unix))?$/i;
const metricName =
  /^(?:metric|metric_?name|name|__name__|_field|kpi|kpi_?name|series|measurement|counter|item|key)$/i;
const valueName = /^(?:value|val|_value|v|metric_?value|reading|usage)$/i;
const idName = /^(?:trace_?id|span_?id|request_?id|sha|commit)$/i;
const sampleRowCount = 20;
/** Numbers up to this are no time since 1970 in any unit. */
const relativeSecondsMax = 1e8;

/** Whether a text begins as a table with times and numbers. */
export function recogniseMetricTable(head: string): boolean {
  return !/^\s*[{[<]/.test(head) && layoutOf(sampleOf(head)) !== undefined;
}

/** Reads every row of a table. */
export function readMetricTable(input: FormatInput): FileContent {
  const reading = new TableTextReading(input.name);
  reading.push(input.text());
  return reading.end();
}

/** Rows on their way into series, from text that comes in pieces. */
export class TableTextReading implements TextReading {
  readonly #name: string;
  readonly #rows = new RowJoiner();
  /** The beginning, until it is long enough to tell what the columns are; later the beginning of a line. */
  #begun = "";
  #reading: TableReading | undefined;
  #headerRowsLeft = 0;

  /** `name` is that of the file. */
  constructor(name: string) {
    this.#name = name;
  }

  push(text: string): void {
    if (this.#reading !== undefined) {
      this.#take(this.#reading, text);
      return;
    }
    this.#begun += text;
    if (this.#begun.length >= sampleLength) this.#start();
  }

  end(): FileContent {
    const reading = this.#reading ?? this.#start();
    if (this.#begun !== "") this.#add(reading, this.#rows.add(this.#begun));
    this.#add(reading, this.#rows.end());
    return reading.content();
  }

  #start(): TableReading {
    const text = this.#begun;
    const layout = layoutOf(sampleOf(text.slice(0, sampleLength)));
    if (layout === undefined) {
      throw new EvidenceError("The table has no column of times with numbers beside it.", {
        expected: "a header, a column of times, and columns of numbers or of names and values",
        where: "line 1",
      });
    }
    const reading = new TableReading(layout, stemOf(this.#name));
    this.#reading = reading;
    this.#headerRowsLeft = layout.headerRowCount;
    this.#begun = "";
    this.#take(reading, text.startsWith("\uFEFF") ? text.slice(1) : text);
    return reading;
  }

  #take(reading: TableReading, text: string): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      const line = this.#begun + text.slice(from, end);
      this.#begun = "";
      this.#add(reading, this.#rows.add(line));
      from = end + 1;
    }
    this.#begun += text.slice(from);
    if (this.#begun.length > metricLimits.rowLengthMax) {
      throw new EvidenceError("A row of the table is too long.", {
        expected: `at most ${metricLimits.rowLengthMax} characters in one row`,
      });
    }
  }

  #add(reading: TableReading, row: string | undefined): void {
    if (row === undefined) return;
    if (this.#headerRowsLeft > 0) this.#headerRowsLeft -= 1;
    else reading.add(cellsOf(row, reading.delimiter));
  }
}

/** Characters in which the columns are looked at. */
const sampleLength = 65_536;

function sampleOf(head: string): string[] {
  const rows: string[] = [];
  for (const row of rowsOf(head)) {
    rows.push(row);
    if (rows.length > sampleRowCount) break;
  }
  // The last row may be cut.
  if (rows.length > 2) rows.pop();
  return rows;
}

function layoutOf(rows: readonly string[]): Layout | undefined {
  const delimiter = rows.length < 2 ? undefined : delimiterOf(rows);
  if (delimiter === undefined) return undefined;
  const table = rows.map((row) => cellsOf(row, delimiter));
  const [first = [], ...others] = table;
  if (first.length > metricLimits.columnCountMax) return undefined;
  const stacked = stackedHeaderOf(table);
  if (stacked !== undefined) return stackedLayout(delimiter, stacked);
  const hasHeader =
    !first.some((cell) => timeOfText(cell) !== undefined) && first.every(isHeaderCell);
  const names = hasHeader
    ? first
    : first.map((_, index) => (index === 0 ? "time" : `column_${index}`));
  const body = hasHeader ? others : table;
  if (names.filter((name) => idName.test(name)).length > 1) return undefined;
  const columns = names.map((_, index) => body.map((row) => row[index] ?? ""));
  const time = timeColumnOf(names, columns);
  if (time === undefined) return undefined;
  // A second column of times is no series, and as a label it would make one of each row.
  const isMoments = (index: number): boolean => timeName.test(names[index] ?? "");
  const numbers = columns.flatMap((cells, index) =>
    index !== time && isNumeric(cells) && !isMoments(index) ? [index] : [],
  );
  const isRelative = (columns[time] ?? []).every(
    (cell) => cell === "" || (isNumber(cell) && Math.abs(Number(cell)) < relativeSecondsMax),
  );
  // Without the name of a time above them, small numbers may be anything.
  if (isRelative && !timeName.test(names[time] ?? "")) return undefined;
  const name = names.findIndex(
    (column, index) => index !== time && !numbers.includes(index) && metricName.test(column),
  );
  const value = numbers.find((index) => valueName.test(names[index] ?? ""));
  const headerRowCount = hasHeader ? 1 : 0;
  const base = { delimiter, names, headerRowCount, stacked: undefined, time, isRelative };
  const rest = names.flatMap((_, index) => (index === time ? [] : [index]));
  if (value !== undefined && (name >= 0 || numbers.length === 1)) {
    const long = { name: name < 0 ? undefined : name, value };
    const labels = rest.filter((index) => index !== value && index !== name && !isMoments(index));
    return { ...base, long, series: [], labels };
  }
  if (numbers.length === 0) return undefined;
  return {
    ...base,
    long: undefined,
    series: numbers,
    labels: rest.filter((index) => !numbers.includes(index) && !isMoments(index)),
  };
}

/** Every column but that of the times is a series; those that are empty so far may have values further down. */
function stackedLayout(
  delimiter: Delimiter,
  { rowCount, columns }: NonNullable<ReturnType<typeof stackedHeaderOf>>,
): Layout {
  return {
    delimiter,
    names: columns.map(({ name }) => name),
    headerRowCount: rowCount,
    stacked: columns,
    time: 0,
    long: undefined,
    series: columns.flatMap(({ name }, index) => (name === "" ? [] : [index])),
    labels: [],
    isRelative: false,
  };
}

function isHeaderCell(cell: string): boolean {
  return !isNumber(cell) && cell.length <= metricLimits.nameLengthMax;
}

function timeColumnOf(
  names: readonly string[],
  columns: readonly (readonly string[])[],
): number | undefined {
  const isTime = (index: number): boolean => {
    const cells = (columns[index] ?? []).filter((cell) => cell !== "");
    return (
      cells.length > 0 && cells.every((cell) => timeOfText(cell) !== undefined || isNumber(cell))
    );
  };
  const named = names.findIndex((name, index) => timeName.test(name) && isTime(index));
  if (named >= 0) return named;
  const [cells = []] = columns;
  const areMoments = cells.length > 0 && cells.every((cell) => timeOfText(cell) !== undefined);
  return areMoments ? 0 : undefined;
}

function isNumber(cell: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(cell);
}

/** A column of numbers, in which some may be missing. */
function isNumeric(cells: readonly string[]): boolean {
  const isGap = (cell: string): boolean =>
    /^(?:|nan|null|none|n\/a|na|-|[+-]?inf(?:inity)?)$/i.test(cell);
  return cells.some(isNumber) && cells.every((cell) => isNumber(cell) || isGap(cell));
}

class TableReading {
  readonly #layout: Layout;
  readonly #stem: string;
  readonly #builder = new SeriesBuilder();
  #skippedCount = 0;

  constructor(layout: Layout, stem: string) {
    this.#layout = layout;
    this.#stem = stem;
    if (layout.isRelative)
      this.#builder.note("Small numbers of the time column were taken as seconds since 1970.");
  }

  get delimiter(): Delimiter {
    return this.#layout.delimiter;
  }

  add(cells: readonly string[]): void {
    const { time, long, series, labels, names, stacked, isRelative } = this.#layout;
    const written = cells[time] ?? "";
    const micros = isRelative ? Number(written) * 1e6 : timeOfText(written);
    if (written === "" || micros === undefined || !(micros >= 0)) {
      this.#skippedCount += 1;
      return;
    }
    const pairs = Object.fromEntries(
      labels.flatMap((index) => {
        const value = cells[index] ?? "";
        return value === "" ? [] : [[names[index] ?? "", value]];
      }),
    );
    if (long === undefined) {
      for (const index of series)
        this.#addValue(names[index] ?? "", stacked?.[index]?.labels ?? pairs, {
          micros,
          cell: cells[index],
        });
    } else {
      const name = long.name === undefined ? this.#stem : (cells[long.name] ?? "");
      this.#addValue(name, pairs, { micros, cell: cells[long.value] });
    }
  }

  #addValue(
    name: string,
    labels: Readonly<Record<string, string>>,
    { micros, cell = "" }: { micros: number; cell: string | undefined },
  ): void {
    // A gap is no value; what is no number is one that is not finite.
    if (cell === "" || name === "") return;
    const value = isNumber(cell) ? Number(cell) : Number.NaN;
    const series = this.#builder.of({ name, labels, type: typeOfName(name, labels) });
    this.#builder.add(series, micros, value);
  }

  content(): FileContent {
    if (this.#skippedCount > 0) {
      this.#builder.note(
        `${this.#skippedCount} rows without a time that can be read were skipped.`,
      );
    }
    return this.#builder.content("a table");
  }
}
