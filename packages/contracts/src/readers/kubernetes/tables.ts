/** Kubernetes objects from the tables that `kubectl get` and `kubectl events` print. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { kindOf } from "./kinds.ts";
import { kubernetesLimits, type Notes } from "./limits.ts";
import { clusterRows } from "./rows-cluster.ts";
import { networkRows } from "./rows-network.ts";
import { workloadRows } from "./rows-workload.ts";
import { Row, type RowReader, type TableOrigin } from "./table-row.ts";

/** Each kind of table, known by its columns; of those that fit, the one with the most columns is meant. */
const tables: readonly RowReader[] = [...workloadRows, ...clusterRows, ...networkRows];

interface Column {
  readonly name: string;
  readonly start: number;
}

/** Whether a line is the header of a table that can be read. */
export function isTableHeader(line: string): boolean {
  return tableOf(columnsOf(line)) !== undefined;
}

/** The objects of every table in the lines; other lines are left alone. */
export function readTables(
  lines: readonly string[],
  origin: TableOrigin,
  notes: Notes,
): KubernetesObject[] {
  const objects: KubernetesObject[] = [];
  let columns: Column[] = [];
  let table: RowReader | undefined;
  for (const line of lines) {
    if (line.trim() === "") {
      table = undefined;
      continue;
    }
    const headers = columnsOf(line);
    const begun = tableOf(headers);
    if (begun !== undefined) {
      columns = headers;
      table = begun;
      continue;
    }
    if (table === undefined || isRemark(line)) continue;
    const object = objectOf(line, { columns, table, origin });
    if (object === undefined) {
      notes.add(`A row of a table could not be read: ${line.trim().slice(0, 120)}`);
    } else objects.push(object);
    if (objects.length >= kubernetesLimits.objectCountMax) break;
  }
  return objects;
}

function tableOf(columns: readonly Column[]): RowReader | undefined {
  if (columns.length < 2) return undefined;
  const names = new Set(columns.map((column) => column.name));
  let best: RowReader | undefined;
  for (const table of tables) {
    if (!table.columns.every((name) => names.has(name))) continue;
    // Few columns are no sure sign: then there must be no other, but those that flags add.
    if (table.isExact === true && columns.some(({ name }) => isForeign(name, table))) continue;
    if (best === undefined || table.columns.length > best.columns.length) best = table;
  }
  return best;
}

const addedColumns: ReadonlySet<string> = new Set(["NAMESPACE", "LABELS", "AGE"]);

function isForeign(name: string, table: RowReader): boolean {
  return !table.columns.includes(name) && !addedColumns.has(name);
}

/** Column names are upper case and stand two or more spaces apart; one may hold a single space. */
function columnsOf(line: string): Column[] {
  if (line.length > 4_096 || /[a-z]/.test(line)) return [];
  return [...line.matchAll(/\S+(?: \S+)*/g)].map((match) => ({
    name: match[0],
    start: match.index,
  }));
}

/** What kubectl says between rows, as `Warning: …` and `No resources found`. */
function isRemark(line: string): boolean {
  return /^(?:Warning: |No resources found|Error from server|error: )/.test(line);
}

interface Place {
  readonly columns: readonly Column[];
  readonly table: RowReader;
  readonly origin: TableOrigin;
}

function objectOf(line: string, { columns, table, origin }: Place): KubernetesObject | undefined {
  const cells = new Map<string, string>();
  for (const [index, { name, start }] of columns.entries()) {
    // kubectl pads every column, so a cell that begins before its header belongs to a broken row.
    if (start > 0 && start < line.length && line[start - 1] !== " ") return undefined;
    cells.set(name, line.slice(start, columns[index + 1]?.start ?? line.length).trim());
  }
  const name = cells.get("NAME");
  if (name === undefined) return table.read(new Row(cells, origin), origin);
  // Where kubectl prints several kinds, each name bears its kind, as in `pod/web-1`.
  const slash = name.indexOf("/");
  const bare = slash < 0 ? name : name.slice(slash + 1);
  if (bare === "") return undefined;
  if (slash >= 0 && kindOf(name.slice(0, slash)) !== table.kind) return undefined;
  cells.set("NAME", bare);
  return table.read(new Row(cells, origin), origin);
}
