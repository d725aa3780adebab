/** A trace as nested rows on a common scale of time. Only the rows in sight are drawn. */

import type { Finding } from "@faultline/contracts";
import { type KeyboardEvent, useCallback, useState } from "react";

import { formatDuration } from "../util/format.ts";
import { type SpanFindings, findingsOf } from "../util/span-findings.ts";
import { type TraceRow, type TraceTree, descendants } from "../util/trace-tree.ts";
import { type WaterfallRows, closed, opened, toggled } from "../util/waterfall-rows.ts";
import { WaterfallRow, rowHeight, rowId, waterfallGrid } from "./waterfall-row.tsx";

/** Rows drawn beyond each edge of the view, so that scrolling shows no gaps. */
const overscan = 12;
const viewHeightMax = 640;

interface WaterfallProps {
  tree: TraceTree;
  view: WaterfallRows;
  findings: SpanFindings;
  /** The key of the row whose details are shown. */
  selectedKey: string | undefined;
  onSelect: (key: string) => void;
  label: string;
}

export function Waterfall({ tree, view, findings, selectedKey, onSelect, label }: WaterfallProps) {
  const { rows, activeIndex } = view;
  const [scrollTop, setScrollTop] = useState(0);
  const height = Math.min(viewHeightMax, Math.max(rows.length, 4) * rowHeight);
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - overscan);
  const last = Math.min(rows.length, Math.ceil((scrollTop + height) / rowHeight) + overscan);
  const place = useCallback((element: HTMLDivElement | null) => {
    // A link to a span lands with that span in sight.
    if (element === null) return;
    const chosen = element.dataset["activeIndex"];
    element.scrollTop = Math.max(0, Number(chosen) * rowHeight - element.clientHeight / 3);
  }, []);

  const active = rows[activeIndex];
  const goTo = (index: number, element: HTMLElement): void => {
    view.activate(index);
    bringIntoView(element, index);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const page = Math.floor(height / rowHeight);
    const target = keyTarget(event.key, { rows, activeIndex, page });
    if (target !== undefined) goTo(target, event.currentTarget);
    else if (active === undefined) return;
    else if (event.key === "Enter") onSelect(active.key);
    else if (event.key === " ") view.setState(active, toggled(active));
    else if (event.key === "ArrowRight" && opened(active) !== undefined) {
      view.setState(active, opened(active));
    } else if (event.key === "ArrowLeft" && closed(active) !== undefined) {
      view.setState(active, closed(active));
    } else return;
    event.preventDefault();
  };

  return (
    <div className="min-w-0">
      <TimeAxis durationMicros={tree.durationMicros} />
      <div
        ref={place}
        data-active-index={activeIndex}
        role="treegrid"
        aria-label={label}
        aria-rowcount={rows.length}
        aria-activedescendant={
          active !== undefined && activeIndex >= first && activeIndex < last
            ? rowId(active.key)
            : undefined
        }
        tabIndex={0}
        className="relative overflow-x-hidden overflow-y-auto rounded-b-xl focus-visible:outline-offset-[-2px]"
        style={{ height }}
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" style={{ height: rows.length * rowHeight }}>
          {rows.slice(first, last).map((row, offset) => (
            <WaterfallRow
              key={row.key}
              row={row}
              index={first + offset}
              top={(first + offset) * rowHeight}
              tree={tree}
              findings={rowFindings(row, tree, findings)}
              selected={row.key === selectedKey}
              active={first + offset === activeIndex}
              onSelect={() => {
                view.activate(first + offset);
                onSelect(row.key);
              }}
              onToggle={() => view.setState(row, toggled(row))}
              onUnfold={() => view.setState(row, row.state === "members" ? "expanded" : "members")}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

/** The row that a key moves to, or `undefined` for a key that does something else. */
function keyTarget(
  key: string,
  at: { rows: readonly TraceRow[]; activeIndex: number; page: number },
): number | undefined {
  const last = at.rows.length - 1;
  const active = at.rows[at.activeIndex];
  switch (key) {
    case "ArrowDown":
      return Math.min(last, at.activeIndex + 1);
    case "ArrowRight":
      // On a row that cannot be opened further, on to what follows it.
      return active !== undefined && opened(active) !== undefined
        ? undefined
        : Math.min(last, at.activeIndex + 1);
    case "ArrowLeft": {
      if (active === undefined || closed(active) !== undefined) return undefined;
      const parent = at.rows.findIndex((row) => row.key === active.parentKey);
      return parent === -1 ? undefined : parent;
    }
    case "ArrowUp":
      return Math.max(0, at.activeIndex - 1);
    case "PageDown":
      return Math.min(last, at.activeIndex + at.page);
    case "PageUp":
      return Math.max(0, at.activeIndex - at.page);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}

function bringIntoView(view: HTMLElement, index: number): void {
  const top = index * rowHeight;
  if (top < view.scrollTop) view.scrollTop = top;
  else if (top + rowHeight > view.scrollTop + view.clientHeight) {
    view.scrollTop = top + rowHeight - view.clientHeight;
  }
}

/** The findings about a row, and while it is collapsed those about what it hides. */
function rowFindings(row: TraceRow, tree: TraceTree, findings: SpanFindings): Finding[] {
  const hidden = row.state === "collapsed" ? descendants(row.spans, tree) : [];
  return findingsOf([...row.spans, ...hidden], findings);
}

function TimeAxis({ durationMicros }: { durationMicros: number }) {
  return (
    <div
      aria-hidden="true"
      className={`grid border-b border-line text-2xs text-ink-3 tabular ${waterfallGrid}`}
    >
      <div className="px-3 py-1.5">Span</div>
      <div className="relative border-l border-line">
        {[0, 0.25, 0.5, 0.75].map((share) => (
          <span
            key={share}
            className={`absolute top-1.5 pl-1 ${share === 0 ? "" : "hidden sm:inline"}`}
            style={{ left: `${share * 100}%` }}
          >
            {formatDuration((durationMicros * share) / 1_000)}
          </span>
        ))}
      </div>
      <div className="py-1.5 pr-3 text-right">Duration</div>
    </div>
  );
}
