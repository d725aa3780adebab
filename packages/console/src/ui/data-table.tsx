/** A dense table. On a narrow page each row becomes a card, whose cells carry the name of their column. */

import type { ReactNode } from "react";

export interface Column<Row> {
  readonly header: string;
  readonly numeric?: boolean;
  /** Whether it names the row: first on a card, and what a screen reader says with each cell. */
  readonly rowHeader?: boolean;
  /** Classes for its width; what it holds then wraps. */
  readonly width?: string;
  /** Whether it takes a whole line of a card, or has no place on one. */
  readonly onCard?: "broad" | "absent";
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
      {/* The roles stand here because a table that is laid out as cards would lose them. */}
      <table role="table" className="w-full border-collapse text-sm max-sm:block">
        <caption className="sr-only">{caption}</caption>
        <thead role="rowgroup" className="max-sm:sr-only">
          <tr role="row" className="border-b border-line text-xs text-ink-3">
            {columns.map((column) => (
              <th
                key={column.header}
                role="columnheader"
                scope="col"
                className={`px-4 py-2 font-medium whitespace-nowrap ${column.numeric === true ? "text-right" : "text-left"} ${column.width ?? ""}`}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className="max-sm:block">
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              role="row"
              className="border-b border-line/60 last:border-0 focus-within:bg-sunken hover:bg-sunken max-sm:grid max-sm:grid-cols-2 max-sm:gap-x-4 max-sm:gap-y-2 max-sm:px-4 max-sm:py-3"
            >
              {columns.map((column) => (
                <Cell key={column.header} column={column}>
                  {column.cell(row)}
                </Cell>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const onCard = { broad: "max-sm:col-span-2", absent: "max-sm:hidden" } as const;

function Cell<Row>({ column, children }: { column: Column<Row>; children: ReactNode }) {
  const layout = [
    "align-top sm:px-4 sm:py-2 max-sm:min-w-0",
    column.width === undefined ? "sm:whitespace-nowrap" : column.width,
    column.numeric === true ? "sm:text-right" : "text-left",
  ].join(" ");
  if (column.rowHeader === true) {
    return (
      <th
        role="rowheader"
        scope="row"
        className={`${layout} font-normal max-sm:order-first max-sm:col-span-2`}
      >
        {children}
      </th>
    );
  }
  return (
    <td
      role="cell"
      data-label={column.header}
      className={`${layout} max-sm:before:mb-0.5 max-sm:before:block max-sm:before:text-xs max-sm:before:text-ink-3 max-sm:before:content-[attr(data-label)] ${column.onCard === undefined ? "" : onCard[column.onCard]}`}
    >
      {children}
    </td>
  );
}
