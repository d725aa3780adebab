/** One or more measures over time as a small chart, with the values under the pointer. */

import { type KeyboardEvent, type PointerEvent, useState } from "react";

import { useElementWidth } from "../util/element-width.ts";
import { tickIndices } from "../util/tick-indices.ts";
import { formatHourMinute, formatUtc } from "../util/time.ts";
import { type Series, SeriesMarks } from "./chart-marks.tsx";

const height = 132;
const plot = { top: 10, bottom: 20, left: 52, right: 3 };
const dotTones = {
  accent: "bg-accent",
  bad: "bg-bad",
  good: "bg-good",
  plain: "bg-ink-3",
} as const;

export function SeriesChart({
  label,
  moments,
  series,
  format,
}: {
  label: string;
  moments: readonly string[];
  series: readonly Series[];
  format: (value: number) => string;
}) {
  const [ref, width] = useElementWidth();
  const [chosen, setChosen] = useState<number>();
  const top = niceTop(
    Math.max(0, ...series.flatMap((line) => line.values.map((value) => value ?? 0))),
  );
  const x = (index: number): number =>
    plot.left + ((width - plot.left - plot.right) * index) / Math.max(1, moments.length - 1);
  const y = (value: number): number =>
    plot.top + (1 - value / top) * (height - plot.top - plot.bottom);
  if (series.every((line) => line.values.every((value) => value === undefined))) {
    return (
      <p className="grid h-[152px] place-items-center rounded-lg bg-sunken text-xs text-ink-3">
        Nothing in this window
      </p>
    );
  }
  const index = chosen === undefined ? undefined : Math.min(chosen, moments.length - 1);
  const point = (event: PointerEvent<HTMLElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left - plot.left) / (box.width - plot.left - plot.right);
    setChosen(Math.round(Math.min(1, Math.max(0, share)) * (moments.length - 1)));
  };
  const step = (event: KeyboardEvent): void => {
    const move = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (move === 0) return;
    event.preventDefault();
    setChosen(Math.min(moments.length - 1, Math.max(0, (index ?? moments.length - 1) + move)));
  };
  return (
    <div>
      <Readout moments={moments} series={series} format={format} index={index} />
      <div
        ref={ref}
        role="img"
        aria-label={`${label}. ${describe(series, format)}`}
        tabIndex={0}
        className="relative h-[132px] w-full touch-pan-y"
        onPointerMove={point}
        onPointerLeave={() => setChosen(undefined)}
        onKeyDown={step}
        onBlur={() => setChosen(undefined)}
      >
        {width > 0 && (
          <svg aria-hidden="true" width={width} height={height} className="absolute inset-0">
            <Scale width={width} top={top} y={y} format={format} />
            {series.map((line) => (
              <SeriesMarks key={line.name} line={line} scale={{ x, y }} />
            ))}
            <Moments moments={moments} x={x} width={width} />
            {index !== undefined && (
              <line
                x1={x(index)}
                x2={x(index)}
                y1={plot.top}
                y2={height - plot.bottom}
                className="stroke-ink-3"
                strokeDasharray="2 3"
              />
            )}
          </svg>
        )}
      </div>
    </div>
  );
}

function Readout({
  moments,
  series,
  format,
  index,
}: {
  moments: readonly string[];
  series: readonly Series[];
  format: (value: number) => string;
  index: number | undefined;
}) {
  const at = index === undefined ? undefined : moments[index];
  return (
    <p
      className="mb-1 flex min-h-4 flex-wrap gap-x-3 text-2xs text-ink-2 tabular"
      aria-live="polite"
    >
      {series.map((line) => {
        const value = index === undefined ? undefined : line.values[index];
        return (
          <span key={line.name} className="inline-flex items-center gap-1">
            <span className={`size-2 rounded-sm ${dotTones[line.tone]}`} />
            {line.name}
            {index !== undefined && (
              <span className="font-semibold text-ink">
                {value === undefined ? "none" : format(value)}
              </span>
            )}
          </span>
        );
      })}
      {at !== undefined && (
        <time dateTime={at} title={formatUtc(new Date(at))} className="ml-auto">
          {formatHourMinute(new Date(at))}
        </time>
      )}
    </p>
  );
}

function Scale(props: {
  width: number;
  top: number;
  y: (value: number) => number;
  format: (value: number) => string;
}) {
  const highest = props.format(props.top);
  const middle = props.format(props.top / 2);
  const ticks: (readonly [number, string])[] = [
    [props.top, highest],
    // Half of a whole number need not be one; a scale that says the same twice says nothing.
    [props.top / 2, middle === highest || middle === props.format(0) ? "" : middle],
    [0, "0"],
  ];
  return (
    <g className="fill-ink-3 text-2xs">
      {ticks.map(([value, text]) => {
        const at = props.y(value);
        return (
          <g key={value}>
            <line x1={plot.left} x2={props.width} y1={at} y2={at} className="stroke-line" />
            <text x={plot.left - 8} y={at + 4} textAnchor="end" className="tabular">
              {text}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function Moments({
  moments,
  x,
  width,
}: {
  moments: readonly string[];
  x: (index: number) => number;
  width: number;
}) {
  const count = Math.max(2, Math.min(6, Math.floor(width / 90)));
  const last = moments.length - 1;
  const indices = tickIndices(last, count);
  return (
    <g className="fill-ink-3 text-2xs tabular">
      {indices.map((index) => (
        <text
          key={index}
          x={x(index)}
          y={height - 5}
          textAnchor={index === 0 ? "start" : index === last ? "end" : "middle"}
        >
          {formatHourMinute(new Date(moments[index] ?? 0))}
        </text>
      ))}
    </g>
  );
}

/** The next of 1, 2, 5 times a power of ten, so that the scale reads well. */
function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const share = value / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

function describe(series: readonly Series[], format: (value: number) => string): string {
  return series
    .map((line) => {
      const known = line.values.filter((value) => value !== undefined);
      if (known.length === 0) return `${line.name}: nothing measured`;
      return `${line.name}: latest ${format(known.at(-1) ?? 0)}, highest ${format(Math.max(...known))}`;
    })
    .join("; ");
}
