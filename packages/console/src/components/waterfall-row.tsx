/** One row of the waterfall: a span, or spans that repeat one another. */

import type { Finding, Span } from "@faultline/contracts";

import { Icon } from "../ui/icon.tsx";
import { formatDuration, nanosToMs, plural } from "../util/format.ts";
import { placeInLanes } from "../util/lanes.ts";
import { seriesColor } from "../util/series-color.ts";
import { sharedName } from "../util/span-signature.ts";
import { type TraceRow, type TraceTree, spanEndMicros } from "../util/trace-tree.ts";

/** Deeper rows are not moved further to the right. */
const indentDepthMax = 12;
/** The columns of the waterfall: names, the scale of time, durations. */
export const waterfallGrid =
  "[--indent:6px] grid-cols-[minmax(0,7fr)_minmax(0,3fr)_4.25rem] sm:[--indent:12px] sm:grid-cols-[minmax(0,5fr)_minmax(0,7fr)_5.25rem]";
export const rowHeight = 30;
const barHeight = 12;
/** Marks drawn for the members of one fold; more would lie upon one another. */
const markCountMax = 300;

interface WaterfallRowProps {
  row: TraceRow;
  index: number;
  top: number;
  tree: TraceTree;
  findings: readonly Finding[];
  selected: boolean;
  active: boolean;
  onSelect: () => void;
  onToggle: () => void;
  onUnfold: () => void;
}

/** The id of a row's element, for `aria-activedescendant`. */
export function rowId(key: string): string {
  return `row-${key}`;
}

export function WaterfallRow(props: WaterfallRowProps) {
  const { row, findings, selected, active } = props;
  const expandable = row.hasChildren || row.kind === "fold";
  const violated = findings.some((finding) => finding.verdict === "violated");
  const surface = selected ? "bg-accent-soft" : violated ? "bg-bad-soft/60" : "hover:bg-sunken";
  return (
    <div
      id={rowId(row.key)}
      role="row"
      aria-level={row.depth + 1}
      aria-rowindex={props.index + 1}
      aria-selected={selected}
      aria-expanded={expandable ? row.state !== "collapsed" : undefined}
      className={`absolute inset-x-0 grid cursor-pointer items-stretch ${waterfallGrid} ${surface} ${active ? "shadow-[inset_2px_0_var(--accent)]" : ""}`}
      style={{ top: props.top, height: rowHeight }}
      onClick={props.onSelect}
    >
      <NameCell {...props} expandable={expandable} />
      <TimeCell row={row} tree={props.tree} violated={violated} />
      <DurationCell row={row} />
    </div>
  );
}

function NameCell(props: WaterfallRowProps & { expandable: boolean }) {
  const { row, tree, findings } = props;
  const [span] = row.spans;
  const name = sharedName(row.spans);
  const failed = row.spans.filter((item) => item.status.code === "error").length;
  return (
    <div
      role="gridcell"
      className="flex min-w-0 items-center gap-1.5 pr-2 text-xs"
      style={{ paddingLeft: `calc(8px + ${Math.min(row.depth, indentDepthMax)} * var(--indent))` }}
    >
      <button
        type="button"
        tabIndex={-1}
        aria-label={row.state === "collapsed" ? "Expand" : "Collapse"}
        className={`-m-1 grid size-5 shrink-0 place-items-center rounded text-ink-3 hover:text-ink ${props.expandable ? "" : "invisible"}`}
        onClick={(event) => {
          event.stopPropagation();
          props.onToggle();
        }}
      >
        <Icon
          name="chevron"
          className={`size-3 transition-transform ${row.state === "collapsed" ? "" : "rotate-90"}`}
        />
      </button>
      <span
        aria-hidden="true"
        className="h-4 w-1 shrink-0 rounded-full"
        style={{ background: seriesColor(tree.services, span.service) }}
      />
      {row.kind === "fold" && (
        <button
          type="button"
          tabIndex={-1}
          aria-label={
            row.state === "members"
              ? `Fold ${row.spans.length} equal spans`
              : `Unfold ${row.spans.length} equal spans`
          }
          className="inline-flex h-5 shrink-0 items-center rounded-md bg-raised px-1.5 font-semibold text-ink ring-1 ring-line-strong tabular hover:ring-accent"
          onClick={(event) => {
            event.stopPropagation();
            props.onUnfold();
          }}
        >
          × {row.spans.length}
        </button>
      )}
      <span className="min-w-0 truncate" title={`${span.service}: ${name}`}>
        <span className="font-medium text-ink">{name}</span>{" "}
        <span className="hidden text-ink-3 sm:inline">{span.service}</span>
      </span>
      {failed > 0 && (
        <span className="inline-flex shrink-0 items-center gap-0.5 font-medium text-bad">
          <Icon name="warning" className="size-3" />
          {row.kind === "fold" ? plural(failed, "error") : "error"}
        </span>
      )}
      <FindingMark findings={findings} />
    </div>
  );
}

function FindingMark({ findings }: { findings: readonly Finding[] }) {
  const finding =
    findings.find((item) => item.verdict === "violated") ??
    findings.find((item) => item.verdict === "inconclusive");
  if (finding === undefined) return null;
  const tone = finding.verdict === "violated" ? "bg-bad" : "bg-warn";
  return (
    <span
      title={`${finding.contract}: ${finding.title}`}
      className={`ml-auto inline-flex shrink-0 items-center gap-1 rounded-md px-1.5 text-2xs leading-4.5 font-semibold text-surface ${tone}`}
    >
      <Icon name={finding.verdict === "violated" ? "cross" : "question"} className="size-2.5" />
      <span className="max-sm:sr-only">{finding.verdict}</span>
      <span className="sr-only">: {finding.contract}</span>
    </span>
  );
}

function TimeCell({ row, tree, violated }: { row: TraceRow; tree: TraceTree; violated: boolean }) {
  const start = Math.min(...row.spans.map((span) => span.startMicros));
  const end = Math.max(...row.spans.map(spanEndMicros));
  const left = share(start, tree);
  const marks = thinOut(row.spans, markCountMax);
  const { lanes, laneCount } = placeInLanes(marks);
  return (
    <div role="gridcell" className="relative overflow-hidden border-l border-line">
      {row.kind === "fold" && (
        <div
          className={`absolute top-[9px] h-3 rounded-sm ${violated ? "bg-bad/20" : "bg-line"}`}
          style={{ left: `${left}%`, width: `max(2px, ${share(end, tree) - left}%)` }}
        />
      )}
      {marks.map((span, index) => (
        <Bar
          key={span.spanId}
          span={span}
          tree={tree}
          lane={[lanes[index] ?? 0, laneCount]}
          marked={violated && row.kind === "span"}
        />
      ))}
    </div>
  );
}

function DurationCell({ row }: { row: TraceRow }) {
  const busyMs = row.spans.reduce((sum, span) => sum + nanosToMs(span.durationNanos), 0);
  return (
    <div
      role="gridcell"
      title={row.kind === "fold" ? `${row.spans.length} spans, their times added up` : undefined}
      className="flex items-center justify-end gap-1 pr-3 text-2xs text-ink-2 tabular sm:text-xs"
    >
      {row.kind === "fold" && <span aria-label="in all">Σ</span>}
      {formatDuration(busyMs)}
    </div>
  );
}

function Bar({
  span,
  tree,
  lane: [lane, laneCount],
  marked,
}: {
  span: Span;
  tree: TraceTree;
  lane: readonly [number, number];
  marked: boolean;
}) {
  const left = share(span.startMicros, tree);
  const width = share(spanEndMicros(span), tree) - left;
  const height = barHeight / laneCount;
  return (
    <div
      className={`absolute rounded-sm ${marked ? "ring-1 ring-bad" : ""}`}
      style={{
        top: (rowHeight - barHeight) / 2 + lane * height,
        height: laneCount === 1 ? height : height - 0.5,
        left: `${left}%`,
        width: `max(2px, ${width}%)`,
        background:
          span.status.code === "error" ? "var(--bad)" : seriesColor(tree.services, span.service),
      }}
    />
  );
}

/** Evenly chosen, so that what is left out does not leave a gap. */
function thinOut(spans: readonly Span[], countMax: number): readonly Span[] {
  const step = Math.ceil(spans.length / countMax);
  return step <= 1 ? spans : spans.filter((_, index) => index % step === 0);
}

/** A moment as a percentage of the trace's length. */
function share(micros: number, tree: TraceTree): number {
  return ((micros - tree.startMicros) / tree.durationMicros) * 100;
}
