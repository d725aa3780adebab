/** Who calls whom as a table: a row for each call, or a row and a column for each service. */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import type { TopologyContent } from "../../model/topology.ts";
import { columnOf } from "./column-names.ts";
import type { RowSink } from "./table-stream.ts";

/** Where the two ends of a call stand in a row. */
export interface CallColumns {
  readonly from: number;
  readonly to: number;
}

const pairs: readonly (readonly [from: string, to: string])[] = [
  ["source", "target"],
  ["source", "destination"],
  ["src", "dst"],
  ["caller", "callee"],
  ["from", "to"],
  ["parent", "child"],
  ["upstream", "downstream"],
  ["sourceservice", "destinationservice"],
  ["sourceworkload", "destinationworkload"],
  ["client", "server"],
];

/** Columns of a header that are the two ends of a call, beside few others. */
export function callColumnsOf(header: readonly string[]): CallColumns | undefined {
  if (header.length > callColumnCountMax) return undefined;
  for (const [source, target] of pairs) {
    const from = columnOf(header, [source]);
    const to = columnOf(header, [target]);
    if (from !== undefined && to !== undefined) return { from, to };
  }
  return undefined;
}

/** Columns beside the ends: a weight, a protocol, a count. A table with more tells of something else. */
const callColumnCountMax = 5;
const callCountMax = 200_000;
const nameLengthMax = 256;

/** The calls of a table with a row for each. */
export class CallRows implements RowSink {
  readonly spanCount = 0;
  readonly #columns: CallColumns;
  readonly #calls = new CallList();

  constructor(columns: CallColumns) {
    this.#columns = columns;
  }

  add(cells: readonly string[]): void {
    this.#calls.add(cells[this.#columns.from] ?? "", cells[this.#columns.to] ?? "");
  }

  content(): FileContent {
    return this.#calls.content();
  }
}

/** Whether a text is a square table of zeros and ones (or weights) whose rows are called as its columns. */
export function isCallMatrix(table: readonly (readonly string[])[]): boolean {
  const [header = [], ...rows] = table;
  const [corner = "", ...names] = header;
  if (names.length < 2 || rows.length === 0 || corner.length > 32) return false;
  const known = new Set(names);
  return rows.every(
    ([name = "", ...cells]) =>
      known.has(name) &&
      cells.length === names.length &&
      cells.every((cell) => cell === "" || /^(?:[01](?:\.\d+)?|true|false)$/i.test(cell)),
  );
}

/** The calls of a square table: the service of the row calls that of the column. */
export class CallMatrixRows implements RowSink {
  readonly spanCount = 0;
  readonly #names: readonly string[];
  readonly #calls = new CallList();

  constructor(header: readonly string[]) {
    this.#names = header;
  }

  add([name = "", ...cells]: readonly string[]): void {
    for (const [index, cell] of cells.entries()) {
      const isCalled = /^true$/i.test(cell) || Number(cell) > 0;
      if (isCalled) this.#calls.add(name, this.#names[index + 1] ?? "");
    }
  }

  content(): FileContent {
    return this.#calls.content();
  }
}

class CallList {
  readonly #calls = new Map<string, TopologyContent["calls"][number]>();

  add(from: string, to: string): void {
    if (from === "" || to === "" || from === to) return;
    const call = {
      from: from.slice(0, nameLengthMax).toWellFormed(),
      to: to.slice(0, nameLengthMax).toWellFormed(),
    };
    this.#calls.set(JSON.stringify([call.from, call.to]), call);
    if (this.#calls.size > callCountMax) {
      throw new EvidenceError("The table holds too many calls.", {
        expected: `at most ${callCountMax} calls`,
      });
    }
  }

  content(): FileContent {
    if (this.#calls.size === 0) {
      throw new EvidenceError("The table names no call between two services.", {
        expected: "at least one row with a source and a target",
        where: "line 2",
      });
    }
    return { contents: [{ kind: "topology", calls: [...this.#calls.values()] }], notes: [] };
  }
}
