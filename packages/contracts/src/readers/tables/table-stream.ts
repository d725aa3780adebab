/** Reads a table as its bytes come in: the rows below a header go to whoever knows what they are. */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatStream } from "../format.ts";
import { cellsOf, type Delimiter, delimiterOf, RowJoiner, rowsOf } from "../metrics/csv.ts";
import { Utf8Stream } from "../utf8-stream.ts";

/** What becomes of the rows of a table. Throws an `EvidenceError`; then it is not used any more. */
export interface RowSink {
  readonly spanCount: number;
  add(cells: readonly string[]): void;
  content(): FileContent;
}

/** The first row of a text, where it looks like a header over more rows. */
export function headerOf(
  head: string | undefined,
): { readonly names: readonly string[]; readonly delimiter: Delimiter } | undefined {
  if (head === undefined || /^\s*[{[<]/.test(head)) return undefined;
  for (const row of rowsOf(head.slice(0, headerLengthMax))) {
    const delimiter = delimiterOf([row]);
    return delimiter === undefined ? undefined : { names: cellsOf(row, delimiter), delimiter };
  }
  return undefined;
}

/** Characters in which the first row is looked for. */
const headerLengthMax = 65_536;
/** Characters of one row. */
const rowLengthMax = 16 * 1024 * 1024;

export class TableStream implements FormatStream {
  readonly #utf8 = new Utf8Stream();
  readonly #rows = new RowJoiner();
  readonly #sink: RowSink;
  readonly #delimiter: Delimiter;
  #begun = "";
  #isHeaderNext = true;

  constructor(delimiter: Delimiter, sink: RowSink) {
    this.#delimiter = delimiter;
    this.#sink = sink;
  }

  get spanCount(): number {
    return this.#sink.spanCount;
  }

  push(chunk: Uint8Array): void {
    this.pushText(this.#utf8.push(chunk));
  }

  /** Takes text that may begin and end anywhere. */
  pushText(text: string): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#add(this.#rows.add(this.#begun + text.slice(from, end)));
      this.#begun = "";
      from = end + 1;
    }
    this.#begun += text.slice(from);
    if (this.#begun.length > rowLengthMax) {
      throw new EvidenceError("A row of the table is too long.", {
        expected: `at most ${rowLengthMax} characters in one row`,
      });
    }
  }

  end(): FileContent {
    this.#utf8.end();
    return this.endText();
  }

  /** The end of text that was given as text. */
  endText(): FileContent {
    if (this.#begun !== "") this.#add(this.#rows.add(this.#begun));
    this.#add(this.#rows.end());
    return this.#sink.content();
  }

  #add(row: string | undefined): void {
    if (row === undefined) return;
    if (this.#isHeaderNext) this.#isHeaderNext = false;
    else this.#sink.add(cellsOf(row, this.#delimiter));
  }
}
