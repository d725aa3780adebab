/** Headers of several rows over a table, as data frames with columns of several levels are written. */

import { timeOfText } from "../time-text.ts";

/** What a column of such a table is called, and what tells it from others of that name. */
export interface StackedColumn {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface StackedHeader {
  readonly rowCount: number;
  /** By place; that of the times is empty. */
  readonly columns: readonly StackedColumn[];
}

/** Levels of a header that are read. */
const levelCountMax = 8;
const metricLevel = /^(?:metric|metric_?name|name|kpi|field|measurement)$/i;

/**
 * The header of a table whose first rows are levels, each called by its first cell; below them may stand the name of the
 * index over empty cells. A header of one row is none of these.
 */
export function stackedHeaderOf(table: readonly (readonly string[])[]): StackedHeader | undefined {
  const rowCount = table.findIndex(([first = ""]) => timeOfText(first) !== undefined);
  if (rowCount < 2 || rowCount > levelCountMax) return undefined;
  const rows = table.slice(0, rowCount);
  const areWords = rows.every((row) => row.slice(1).every((cell) => !isNumber(cell)));
  const levels = rows.filter((row) => row.slice(1).some((cell) => cell !== ""));
  if (!areWords || levels.length < 2) return undefined;
  const metric = metricPlaceOf(levels);
  const width = Math.max(...levels.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, index): StackedColumn => {
    if (index === 0) return { name: "", labels: {} };
    const labels = levels.flatMap((row, level) => {
      const value = row[index] ?? "";
      return level === metric || value === "" ? [] : [[levelName(row, level), value] as const];
    });
    return { name: levels[metric]?.[index] ?? "", labels: Object.fromEntries(labels) };
  });
  return { rowCount, columns };
}

/** The level that is called metric, else the second: the first names who is measured. */
function metricPlaceOf(levels: readonly (readonly string[])[]): number {
  const named = levels.findIndex(([first = ""]) => metricLevel.test(first));
  return named >= 0 ? named : 1;
}

function levelName([first = ""]: readonly string[], level: number): string {
  if (first !== "") return first;
  return level === 0 ? "service" : `level_${level}`;
}

function isNumber(cell: string): boolean {
  return cell !== "" && Number.isFinite(Number(cell));
}
