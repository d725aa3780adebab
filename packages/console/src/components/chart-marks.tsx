/** What a chart draws of one measure: an area under a line, or a bar for each interval. */

import { useId } from "react";

export interface Series {
  readonly name: string;
  readonly tone: "accent" | "bad" | "good" | "plain";
  /** Counts of intervals are bars; what is measured at moments is a line. */
  readonly shape: "area" | "bars";
  /** One value per moment; a gap where nothing was measured. */
  readonly values: readonly (number | undefined)[];
}

/** From a value and its place to pixels. */
export interface ChartScale {
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
}

const lineTones = {
  accent: "stroke-accent",
  bad: "stroke-bad",
  good: "stroke-good",
  plain: "stroke-ink-3",
} as const;
const fillTones = {
  accent: "fill-accent",
  bad: "fill-bad",
  good: "fill-good",
  plain: "fill-ink-3",
} as const;
export function SeriesMarks({ line, scale }: { line: Series; scale: ChartScale }) {
  return line.shape === "bars" ? (
    <Bars line={line} scale={scale} />
  ) : (
    <Area line={line} scale={scale} />
  );
}

function Bars({ line, scale: { x, y } }: { line: Series; scale: ChartScale }) {
  const width = Math.max(1, (x(1) - x(0)) * 0.7);
  return (
    <g className={fillTones[line.tone]}>
      {line.values.map((value, index) => {
        if (value === undefined || value === 0) return null;
        const top = Math.min(y(value), y(0) - 1.5);
        return (
          <rect
            key={index}
            x={x(index) - width / 2}
            y={top}
            width={width}
            height={y(0) - top}
            rx={Math.min(1.5, width / 3)}
            opacity={0.85}
          />
        );
      })}
    </g>
  );
}

function Area({ line, scale: { x, y } }: { line: Series; scale: ChartScale }) {
  const gradient = useId();
  return (
    <g>
      <linearGradient id={gradient} x1="0" x2="0" y1="0" y2="1">
        <stop offset="0" stopColor={`var(--${toneVariable[line.tone]})`} stopOpacity="0.22" />
        <stop offset="1" stopColor={`var(--${toneVariable[line.tone]})`} stopOpacity="0.02" />
      </linearGradient>
      {stretches(line.values).map(([first, values]) => {
        const points = values.map(
          (value, index) => `${x(first + index).toFixed(1)},${y(value).toFixed(1)}`,
        );
        if (points.length === 1) {
          return (
            <circle
              key={first}
              cx={x(first)}
              cy={y(values[0] ?? 0)}
              r={2}
              className={fillTones[line.tone]}
            />
          );
        }
        const ends = `L${x(first + values.length - 1).toFixed(1)},${y(0)}L${x(first).toFixed(1)},${y(0)}Z`;
        return (
          <g key={first}>
            <path d={`M${points.join("L")}${ends}`} fill={`url(#${gradient})`} />
            <path
              d={`M${points.join("L")}`}
              fill="none"
              strokeWidth={1.75}
              strokeLinejoin="round"
              className={lineTones[line.tone]}
            />
          </g>
        );
      })}
    </g>
  );
}

const toneVariable = { accent: "accent", bad: "bad", good: "good", plain: "ink-3" } as const;

/** The runs of values between the gaps, each with the index at which it starts. */
function stretches(values: readonly (number | undefined)[]): [number, number[]][] {
  const runs: [number, number[]][] = [];
  values.forEach((value, index) => {
    if (value === undefined) return;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1].length === index) last[1].push(value);
    else runs.push([index, [value]]);
  });
  return runs;
}
