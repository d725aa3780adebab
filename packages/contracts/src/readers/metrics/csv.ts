/** Tables of values separated by commas, semicolons or tabs. */

import { metricLimits } from "./limits.ts";

export type Delimiter = "," | ";" | "\t" | "|";
const delimiters: readonly Delimiter[] = [",", ";", "\t", "|"];

/** The delimiter that gives the first lines of a text the same number of cells, at least two. */
export function delimiterOf(lines: readonly string[]): Delimiter | undefined {
  let best: { delimiter: Delimiter; cellCount: number } | undefined;
  for (const delimiter of delimiters) {
    const counts = lines.map((line) => cellsOf(line, delimiter).length);
    const [first = 0] = counts;
    const isEven = first >= 2 && counts.every((count) => count === first);
    if (isEven && first > (best?.cellCount ?? 1)) best = { delimiter, cellCount: first };
  }
  return best?.delimiter;
}

/** The cells of a row. Quotes are taken off, and two of them within quotes are one. */
export function cellsOf(line: string, delimiter: Delimiter): string[] {
  if (!line.includes('"')) {
    return line.split(delimiter, metricLimits.columnCountMax + 1).map((cell) => cell.trim());
  }
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length && cells.length <= metricLimits.columnCountMax) {
    const { cell, end } = cellAt(line, at, delimiter);
    cells.push(cell);
    at = end + 1;
  }
  return cells;
}

function cellAt(line: string, from: number, delimiter: Delimiter): { cell: string; end: number } {
  let at = from;
  while (line[at] === " ") at += 1;
  if (line[at] !== '"') {
    const next = line.indexOf(delimiter, from);
    const end = next < 0 ? line.length : next;
    return { cell: line.slice(from, end).trim(), end };
  }
  let cell = "";
  for (at += 1; at < line.length; at += 1) {
    const quote = line.indexOf('"', at);
    if (quote < 0) return { cell: cell + line.slice(at), end: line.length };
    cell += line.slice(at, quote);
    at = quote + 1;
    if (line[at] !== '"') break;
    cell += '"';
  }
  const next = line.indexOf(delimiter, at);
  return { cell, end: next < 0 ? line.length : next };
}

/** The rows of a text, one for each line; a quoted cell may hold line breaks. */
export function* rowsOf(text: string): Generator<string> {
  const rows = new RowJoiner();
  for (let from = text.startsWith("\uFEFF") ? 1 : 0; from < text.length;) {
    const next = text.indexOf("\n", from);
    const row = rows.add(text.slice(from, next < 0 ? text.length : next));
    if (row !== undefined) yield row;
    if (next < 0) break;
    from = next + 1;
  }
  const last = rows.end();
  if (last !== undefined) yield last;
}

/** Joins lines to rows. */
export class RowJoiner {
  /** The lines of a row whose last quote is open; each is looked at once. */
  #lines: string[] = [];
  #length = 0;

  /** Takes a line, without its break; the row that it ends. */
  add(written: string): string | undefined {
    const line = written.endsWith("\r") ? written.slice(0, -1) : written;
    const isBegun = this.#lines.length > 0;
    const isOpen = hasOddQuotes(line) !== isBegun;
    if (!isBegun && !isOpen) return line.trim() === "" ? undefined : line;
    this.#lines.push(line);
    this.#length += line.length + 1;
    return isOpen && this.#length <= rowLengthMax ? undefined : this.end();
  }

  /** A row that was begun and not ended. */
  end(): string | undefined {
    const row = this.#lines.join("\n");
    this.#lines = [];
    this.#length = 0;
    return row.trim() === "" ? undefined : row;
  }
}

/** A quote that is never closed must not swallow the rest of the file. */
const rowLengthMax = 65_536;

function hasOddQuotes(line: string): boolean {
  let count = 0;
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) count += 1;
  return count % 2 === 1;
}
