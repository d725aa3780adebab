/** The boundary map: who calls whom, how much, how well, and where the open cases are. */

import type { BoundaryEdge, CaseSummary } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { Icon, type IconName } from "../ui/icon.tsx";
import { formatCompact, formatDuration, plural } from "../util/format.ts";
import { type EdgeHealth, edgeHealth } from "../util/edge-health.ts";
import { useElementWidth } from "../util/element-width.ts";
import { layoutMap } from "../util/map-layout.ts";
import {
  type MapEdge,
  type Party,
  type PartyKind,
  boxHeight,
  headLength,
} from "../util/map-shapes.ts";
import { paths } from "../util/paths.ts";

const strokes: Readonly<Record<EdgeHealth["tone"], string>> = {
  bad: "stroke-bad",
  warn: "stroke-warn",
  good: "stroke-good",
  plain: "stroke-line-strong",
};
const fills: Readonly<Record<EdgeHealth["tone"], string>> = {
  bad: "fill-bad",
  warn: "fill-warn",
  good: "fill-good",
  plain: "fill-line-strong",
};
const chipTones: Readonly<Record<EdgeHealth["tone"], string>> = {
  bad: "border-bad/50 bg-bad-soft text-bad",
  warn: "border-warn/50 bg-warn-soft text-warn",
  good: "border-good/50 bg-good-soft text-good",
  plain: "border-line bg-surface text-ink-2",
};
const kinds: Readonly<Record<PartyKind, { icon: IconName; word: string }>> = {
  service: { icon: "service", word: "service" },
  database: { icon: "database", word: "database" },
  model: { icon: "model", word: "provider" },
  tool: { icon: "tool", word: "tool" },
};

export function BoundaryMap({
  edges,
  openCases,
}: {
  edges: readonly BoundaryEdge[];
  openCases: readonly CaseSummary[];
}) {
  const [ref, width] = useElementWidth();
  const pinned = new Set(edges.flatMap((edge) => edge.caseNumbers));
  const layout = width === 0 ? undefined : layoutMap(edges, width);
  const busiest = Math.max(1, ...edges.map((edge) => edge.count));
  return (
    <div
      ref={ref}
      className="w-full overflow-x-auto bg-[radial-gradient(var(--line)_1px,transparent_1px)] [background-size:20px_20px]"
    >
      {layout !== undefined && (
        <div
          role="group"
          aria-label={`Boundary map: ${plural(layout.parties.length, "part")
            .replace(/parts$/, "parties")
            .replace(
              /part$/,
              "party",
            )}, ${edges.length === 1 ? "1 boundary" : `${edges.length} boundaries`}`}
          className="relative"
          style={{ width: layout.width, height: layout.height }}
        >
          <EdgeLines edges={layout.edges} busiest={busiest} size={layout} />
          {layout.parties.map((party) => (
            <PartyBox
              key={party.name}
              party={party}
              cases={openCases.filter(
                (item) => item.subject.name === party.name && !pinned.has(item.number),
              )}
            />
          ))}
          {layout.edges.map((line) => (
            <EdgeLabel
              key={`${line.edge.from}\u0000${line.edge.to}\u0000${line.edge.boundary}`}
              line={line}
              openCases={openCases}
            />
          ))}
        </div>
      )}
    </div>
  );
}

function EdgeLines({
  edges,
  busiest,
  size,
}: {
  edges: readonly MapEdge[];
  busiest: number;
  size: { width: number; height: number };
}) {
  // What is wrong is drawn last, so that nothing lies upon it.
  const order = ["plain", "good", "warn", "bad"];
  const drawn = edges
    .map((line) => ({ line, tone: edgeHealth(line.edge).tone }))
    .sort((one, other) => order.indexOf(one.tone) - order.indexOf(other.tone));
  return (
    <svg
      aria-hidden="true"
      width={size.width}
      height={size.height}
      className="absolute inset-0"
      fill="none"
    >
      {drawn.map(({ line, tone }) => {
        const width = edgeWidth(line, busiest);
        return (
          <g key={`${line.edge.from}\u0000${line.edge.to}\u0000${line.edge.boundary}`}>
            <path d={line.path} strokeWidth={width} className={strokes[tone]} />
            <path d={arrowHead(line, width)} className={fills[tone]} />
          </g>
        );
      })}
    </svg>
  );
}

/** The head of an arrow, a little broader than its line. */
function arrowHead(line: MapEdge, width: number): string {
  const half = width / 2 + 3;
  const { x, y } = line.tip;
  const base = x + (line.heading === "right" ? -headLength : headLength);
  return `M${x},${y}L${base},${y - half}V${y + half}Z`;
}

/** Traffic as width: the square root keeps a quiet edge visible beside a busy one. */
function edgeWidth(line: MapEdge, busiest: number): number {
  const widest = line.label.anchor === "start" ? 4 : 8;
  return 1.5 + (widest - 1.5) * Math.sqrt(line.edge.count / busiest);
}

function EdgeLabel({ line, openCases }: { line: MapEdge; openCases: readonly CaseSummary[] }) {
  const { edge } = line;
  const isCentred = line.label.anchor === "centre";
  const health = edgeHealth(edge);
  return (
    <div
      className={`absolute flex -translate-y-1/2 items-center gap-1 ${isCentred ? "-translate-x-1/2" : ""}`}
      style={{ left: line.label.x, top: line.label.y }}
    >
      <div
        role="group"
        aria-label={`${edge.from} to ${edge.to}: ${plural(edge.count, "call")}, ${health.text}`}
        title={`${edge.boundary} · 95th percentile ${formatDuration(edge.durationMsP95)}`}
        className={`flex rounded-md border px-1.5 py-0.5 text-2xs leading-4 whitespace-nowrap tabular shadow-panel ${isCentred ? "flex-col items-center" : "gap-1"} ${chipTones[health.tone]}`}
      >
        <span className="font-semibold">{health.text}</span>
        <span className="text-ink-2">
          {formatCompact(edge.count)} × {formatDuration(edge.durationMsP95)}
        </span>
      </div>
      <div className={isCentred ? "absolute -top-3 left-full -ml-2" : ""}>
        <CasePins numbers={edge.caseNumbers} openCases={openCases} />
      </div>
    </div>
  );
}

function CasePins({
  numbers,
  openCases,
}: {
  numbers: readonly number[];
  openCases: readonly CaseSummary[];
}) {
  if (numbers.length === 0) return null;
  return (
    <ul aria-label="Open cases here" className="flex gap-1">
      {numbers.slice(0, 3).map((number) => {
        const symptom = openCases.find((item) => item.number === number)?.symptom;
        return (
          <li key={number}>
            <Link
              {...paths.case(number)}
              title={symptom}
              aria-label={`Case ${number}${symptom === undefined ? "" : `: ${symptom}`}`}
              className="inline-flex items-center gap-0.5 rounded-full bg-bad px-1.5 text-2xs leading-4.5 font-semibold text-surface shadow-float hover:brightness-110"
            >
              <Icon name="pin" className="size-3" />
              {number}
            </Link>
          </li>
        );
      })}
      {numbers.length > 3 && (
        <li className="rounded-full bg-surface px-1.5 text-2xs text-ink-2">
          +{numbers.length - 3}
        </li>
      )}
    </ul>
  );
}

function PartyBox({ party, cases }: { party: Party; cases: readonly CaseSummary[] }) {
  const kind = kinds[party.kind];
  const body = (
    <>
      <span className="grid size-7 shrink-0 place-items-center rounded-lg bg-accent-soft text-accent">
        <Icon name={kind.icon} />
      </span>
      <span className="min-w-0">
        <span className="block truncate text-sm font-semibold">{party.name}</span>
        <span className="block truncate text-2xs text-ink-3 tabular">
          {kind.word} · {formatCompact(party.callCount)} ×
        </span>
      </span>
    </>
  );
  const box =
    "flex size-full items-center gap-2 rounded-xl border border-line bg-surface px-2.5 shadow-panel";
  return (
    <div
      className="absolute"
      style={{ left: party.at.x, top: party.at.y, width: party.width, height: boxHeight }}
    >
      {party.kind === "service" ? (
        <Link
          {...paths.traces({ service: party.name })}
          title={party.name}
          className={`${box} transition-colors hover:border-accent`}
        >
          {body}
        </Link>
      ) : (
        <div title={party.name} className={box}>
          {body}
        </div>
      )}
      {cases.length > 0 && (
        <div className="absolute -top-2.5 right-2">
          <CasePins numbers={cases.map((item) => item.number)} openCases={cases} />
        </div>
      )}
    </div>
  );
}
