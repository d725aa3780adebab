/** Evaluations as rows of a table: a case in each row, with the scores in columns. */

import type { FileContent, FormatInput } from "../format.ts";
import type { RowSink } from "../tables/table-stream.ts";
import { EvaluationBuilder } from "./evaluation-builder.ts";
import { addPlainRecord, recordColumnsOf } from "./records.ts";

/** What takes the rows of a table with these columns; nothing where they hold no scores of cases. */
export function scoreRowsOf(
  header: readonly string[],
  input: Pick<FormatInput, "name" | "folder">,
): RowSink | undefined {
  return recordColumnsOf(header) === undefined ? undefined : new ScoreRows(header, input);
}

class ScoreRows implements RowSink {
  readonly spanCount = 0;
  readonly #header: readonly string[];
  readonly #builder: EvaluationBuilder;

  constructor(header: readonly string[], input: Pick<FormatInput, "name" | "folder">) {
    this.#header = header;
    this.#builder = new EvaluationBuilder("table", input);
  }

  add(cells: readonly string[]): void {
    addPlainRecord(
      Object.fromEntries(this.#header.map((name, at) => [name, cells[at] ?? ""])),
      this.#builder,
    );
  }

  content(): FileContent {
    return { contents: [this.#builder.content({})], notes: this.#builder.notes() };
  }
}
