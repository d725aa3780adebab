/** A dense table that scrolls sideways when the page is narrow. */

import type { ReactNode } from "react";

export interface Column<Row> {
  readonly header: string;
  readonly numeric?: boolean;
  /** Whether it takes the room that is left. */
  readonly wide?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

export function DataTable<Row>({
  caption,
  columns,
  rows,
  rowKey,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
}) {
  return (
    <div className="relative overflow-x-auto" tabIndex={0} role="region" aria-label={caption}>
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-xs text-ink-3">
            {columns.map((column) => (
              <th
                key={column.header}
                scope="col"
                className={`px-4 py-2 font-medium whitespace-nowrap ${column.numeric === true ? "text-right" : "text-left"} ${column.wide === true ? "w-full" : ""}`}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className="border-b border-line/60 last:border-0 focus-within:bg-sunken hover:bg-sunken"
            >
              {columns.map((column) => (
                <td
                  key={column.header}
                  className={`px-4 py-2 align-top whitespace-nowrap ${column.numeric === true ? "text-right" : ""} ${column.wide === true ? "min-w-52 whitespace-normal" : ""}`}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
