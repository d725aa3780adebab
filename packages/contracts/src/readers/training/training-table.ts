/** Reads training runs from tables: of Lightning, Keras, Weights & Biases and TensorBoard. */

import type { Fields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { cellsOf, delimiterOf, rowsOf } from "../metrics/csv.ts";
import { readingOf } from "./read-training.ts";
import { areOfTraining, isMeasuredName } from "./training-words.ts";

const stepName = /^(?:trainer|train|global)?_?(?:global)?(?:step|iteration|iter|epoch)s?$/;
/** What a table of runs has no column of. */
const foreignName =
  /^(?:trace|span|trace_?id|span_?id|service|message|level|severity|pod|container|method|url|status_?code)$/;

/** Whether a text begins as a table of steps. */
export function recogniseTrainingTable(head: string, fileName: string): boolean {
  const lines = [...rowsOf(head)].slice(0, 3);
  const [header = "", first = ""] = lines;
  const delimiter = delimiterOf(lines);
  if (delimiter === undefined || header.length > 65_536) return false;
  const cells = cellsOf(header, delimiter);
  const names = cells.map(bareName);
  if (names.some((name) => foreignName.test(name))) return false;
  const stepAt = names.findIndex((name) => stepName.test(name));
  const isNumber =
    stepAt >= 0 && /^\d{1,9}(?:\.0*)?$/.test(cellsOf(first, delimiter)[stepAt] ?? "");
  return (
    isNumber &&
    (areOfTraining(cells.map(columnName)) || hasRuns(cells) || isScalar(names, fileName))
  );
}

/** Weights & Biases writes the name of a run before that of what it measured. */
function hasRuns(cells: readonly string[]): boolean {
  return cells.some((cell) => / - \S/.test(cell) && isMeasuredName(bareName(cell)));
}

/** TensorBoard exports one scalar at a time, and its name stands in that of the file alone. */
function isScalar(names: readonly string[], fileName: string): boolean {
  return names.join(" ") === "wall time step value" && isMeasuredName(fileName.toLowerCase());
}

/** Reads each row as a step; columns that name a run go to that run. */
export function readTrainingTable(input: FormatInput): FileContent {
  const rows = rowsOf(input.text());
  const header = rows.next().value ?? "";
  const delimiter = delimiterOf([header]) ?? ",";
  const columns = columnsOf(cellsOf(header, delimiter), input.name);
  const reading = readingOf(input.name);
  for (const row of rows) {
    const cells = cellsOf(row, delimiter);
    const byRun = new Map<string, Record<string, number | string>>();
    const shared: Record<string, number | string> = {};
    for (const [at, { run, name }] of columns.entries()) {
      const cell = cells[at] ?? "";
      if (cell === "" || name === "") continue;
      const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(cell) ? Number(cell) : cell;
      if (run === undefined) shared[name] ??= value;
      else byRun.set(run, { ...byRun.get(run), [name]: value });
    }
    if (byRun.size === 0) reading.add(shared);
    for (const [run, fields] of byRun)
      reading.addTo(run, { ...shared, ...fields } satisfies Fields);
  }
  return reading.content();
}

interface Column {
  readonly run: string | undefined;
  /** Empty for one that is left out. */
  readonly name: string;
}

/** Weights & Biases writes `run - key`, and beside it the least and the largest of runs that it put together. */
function columnsOf(header: readonly string[], fileName: string): Column[] {
  const columns = header.map((cell): Column => {
    const found = /^(.{1,200}?) - (.{1,200})$/.exec(cell);
    const key = found?.[2] ?? cell;
    if (/__(?:MIN|MAX)$/.test(key)) return { run: undefined, name: "" };
    return { run: found?.[1], name: /^lr\b/i.test(key) ? "lr" : key };
  });
  const isOne = header.map(bareName).join(" ") === "wall time step value";
  const tag =
    /(?:tag[-_])?(\w*(?:loss|grad(?:ient)?_?norm)\w*)\.\w+$/i.exec(fileName)?.[1] ?? "loss";
  const told = isOne ? columns.with(2, { run: undefined, name: lossTag(tag) }) : columns;
  if (!told.some(({ name }) => name !== "")) {
    throw new EvidenceError("The table has no column of steps.", {
      expected: "a column with numbers of steps and one with losses or norms of gradients",
    });
  }
  return told;
}

/** `train_loss` of `run_train_loss`. */
function lossTag(tag: string): string {
  const bare = tag.toLowerCase();
  if (/grad/.test(bare)) return "grad_norm";
  return /val|eval|test/.test(bare) ? "eval_loss" : "loss";
}

function bareName(cell: string): string {
  return columnName(cell).replace(/^.*\//, "");
}

function columnName(cell: string): string {
  const key = / - (.+)$/.exec(cell)?.[1] ?? cell;
  return key.toLowerCase().trim().replace(/^_/, "");
}
