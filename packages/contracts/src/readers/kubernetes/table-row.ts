/** A row of a table of kubectl. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { parseLabels } from "./text-object.ts";

/** Where a table came from, as far as the lines before it tell. */
export interface TableOrigin {
  /** From `-n NAME` of the recorded command; rows without a NAMESPACE column are taken to lie there. */
  readonly namespace: string | undefined;
}

/** Makes objects of the rows of one kind of table. */
export interface RowReader {
  readonly kind: string;
  /** All of these must be there. */
  readonly columns: readonly string[];
  /** Whether other columns than these, and those that flags add, say that it is another table. */
  readonly isExact?: boolean;
  read(row: Row, origin: TableOrigin): KubernetesObject | undefined;
}

export class Row {
  readonly #cells: ReadonlyMap<string, string>;
  readonly #origin: TableOrigin;

  constructor(cells: ReadonlyMap<string, string>, origin: TableOrigin) {
    this.#cells = cells;
    this.#origin = origin;
  }

  /** A cell's text, or nothing when the table says that there is none. */
  cell(column: string): string | undefined {
    const text = this.#cells.get(column);
    return text === undefined || text === "" || text === "<none>" || text === "<unset>"
      ? undefined
      : text;
  }

  /** A cell as a field of an object, or no field. */
  field(name: string, column: string): Record<string, string> {
    const text = this.cell(column);
    return text === undefined ? {} : { [name]: text };
  }

  /** A cell that is a whole number. */
  number(column: string): number | undefined {
    const text = this.cell(column);
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  }

  /** The parts of a cell such as `1/3`. */
  share(column: string): readonly [number, number] | undefined {
    const [, part, whole] = /^(\d{1,9})\/(\d{1,9})/.exec(this.cell(column) ?? "") ?? [];
    return part === undefined ? undefined : [Number(part), Number(whole)];
  }

  /**
   * Name and, where they are printed, namespace and labels. A table of one namespace does not say which: objects without a
   * namespace count as of the default one, and that nobody stated it is remembered.
   */
  identity(): { name: string; namespace?: string; labels?: Record<string, string> } {
    const namespace = this.cell("NAMESPACE") ?? this.#origin.namespace;
    return {
      name: this.cell("NAME") ?? "",
      ...(namespace === undefined ? {} : { namespace }),
      ...this.#labels(),
    };
  }

  /** Name and labels of what lies in no namespace. */
  clusterIdentity(): { name: string; labels?: Record<string, string> } {
    return { name: this.cell("NAME") ?? "", ...this.#labels() };
  }

  /** The path of the labels, where the table does not print them. */
  unknownLabels(): string[] {
    return this.#cells.has("LABELS") ? [] : ["metadata.labels"];
  }

  #labels(): { labels?: Record<string, string> } {
    const text = this.#cells.get("LABELS");
    return text === undefined ? {} : { labels: parseLabels(text.split(",")) };
  }
}
