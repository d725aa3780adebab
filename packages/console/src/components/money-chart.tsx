/** Amounts over time: what was spent in each interval as bars on one another, or what stood at each moment as steps. */

import { type KeyboardEvent, type PointerEvent, useState } from "react";

import { useElementWidth } from "../util/element-width.ts";
import { type Currency, formatExact, formatMicros, formatMicrosShort } from "../util/money.ts";
import { tickIndices } from "../util/tick-indices.ts";
import { formatDay, formatHourMinute, formatLocal, formatUtc } from "../util/time.ts";
import { niceMicrosAbove } from "../util/money-scale.ts";
import { type ChartPlace, type MoneySeries, MoneyMarks, stackTops } from "./money-marks.tsx";

const height = 190;
const plot = { top: 10, bottom: 22, left: 58, right: 4 };
const dayMs = 86_400_000;
/** Narrower columns than this are not told apart. */
const momentWidthMin = 90;

export interface MoneyChartProps {
  readonly label: string;
  readonly currency: Currency;
  /** `bars`: the start of each interval. `steps`: the moments at which the amounts stood. */
  readonly shape: "bars" | "steps";
  readonly moments: readonly string[];
  readonly series: readonly MoneySeries[];
}

export function MoneyChart({ label, currency, shape, moments, series }: MoneyChartProps) {
  const [ref, width] = useElementWidth();
  const [chosen, setChosen] = useState<number>();
  const top = niceMicrosAbove(
    stackTops(series).reduce((most, sum) => (sum > most ? sum : most), 0n),
  );
  const last = moments.length - 1;
  // Bars stand in columns, steps between the first and the last moment.
  const columnCount = shape === "bars" ? moments.length : Math.max(1, last);
  const place: ChartPlace = {
    columnWidth: Math.max(0, width - plot.left - plot.right) / columnCount,
    left: plot.left,
    floor: height - plot.bottom,
    y: (micros) =>
      plot.top +
      (1 - Number((micros * 100_000n) / top) / 100_000) * (height - plot.top - plot.bottom),
  };
  const index = chosen === undefined ? undefined : Math.min(chosen, last);
  const point = (event: PointerEvent<HTMLElement>): void => {
    const across = event.clientX - event.currentTarget.getBoundingClientRect().left - plot.left;
    const column =
      shape === "bars"
        ? Math.floor(across / place.columnWidth)
        : Math.round(across / place.columnWidth);
    setChosen(Math.min(last, Math.max(0, column)));
  };
  const step = (event: KeyboardEvent): void => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -last, End: last }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    setChosen(Math.min(last, Math.max(0, (index ?? last) + move)));
  };
  return (
    <div>
      <Readout {...{ currency, moments, series, index, shape }} />
      <div
        ref={ref}
        role="img"
        aria-label={`${label}. ${describe(series, { currency, shape })}. The arrow keys read the values.`}
        tabIndex={0}
        className="relative h-[190px] w-full touch-pan-y"
        onPointerMove={point}
        onPointerLeave={() => setChosen(undefined)}
        onKeyDown={step}
        onBlur={() => setChosen(undefined)}
      >
        {width > 0 && (
          <svg aria-hidden="true" width={width} height={height} className="absolute inset-0">
            <Scale {...{ width, top, place, currency }} />
            {index !== undefined && <Pointer {...{ place, shape, index }} />}
            <MoneyMarks {...{ series, place, shape }} />
            <Moments {...{ moments, width, place, shape }} />
          </svg>
        )}
      </div>
    </div>
  );
}

interface ReadoutProps {
  readonly currency: Currency;
  readonly moments: readonly string[];
  readonly series: readonly MoneySeries[];
  readonly index: number | undefined;
  readonly shape: MoneyChartProps["shape"];
}

/** The legend; with a moment chosen, what stood or was spent then. */
function Readout({ currency, moments, series, index, shape }: ReadoutProps) {
  const at = index === undefined ? undefined : moments[index];
  return (
    <p
      className="mb-2 flex min-h-4 flex-wrap gap-x-4 gap-y-1 text-xs text-ink-2 tabular"
      aria-live="polite"
    >
      {series.map((line) => {
        const micros = index === undefined ? undefined : line.values[index];
        return (
          <span key={line.name} className="inline-flex min-w-0 items-center gap-1.5">
            <span
              aria-hidden="true"
              className="size-2 shrink-0 rounded-sm"
              style={{ background: line.color }}
            />
            <span className="truncate max-sm:max-w-36" title={line.name}>
              {line.name}
            </span>
            {micros !== undefined && (
              <span className="font-semibold text-ink" title={formatExact(micros, currency)}>
                {formatMicros(micros, currency)}
              </span>
            )}
          </span>
        );
      })}
      {at !== undefined && (
        <time dateTime={at} title={formatUtc(new Date(at))} className="ml-auto whitespace-nowrap">
          {shape === "bars" ? "from " : ""}
          {formatLocal(new Date(at))}
        </time>
      )}
    </p>
  );
}

function Scale(props: { width: number; top: bigint; place: ChartPlace; currency: Currency }) {
  const { width, top, place, currency } = props;
  return (
    <g className="fill-ink-3 text-2xs">
      {[top, top / 2n, 0n].map((micros) => (
        <g key={String(micros)}>
          <line
            x1={plot.left}
            x2={width}
            y1={place.y(micros)}
            y2={place.y(micros)}
            className="stroke-line"
          />
          <text x={plot.left - 8} y={place.y(micros) + 4} textAnchor="end" className="tabular">
            {formatMicrosShort(micros, currency)}
          </text>
        </g>
      ))}
    </g>
  );
}

function Pointer(props: { place: ChartPlace; shape: MoneyChartProps["shape"]; index: number }) {
  const { place, shape, index } = props;
  const x = place.left + index * place.columnWidth;
  return shape === "bars" ? (
    <rect
      x={x}
      width={place.columnWidth}
      y={plot.top}
      height={place.floor - plot.top}
      className="fill-sunken"
    />
  ) : (
    <line
      x1={x}
      x2={x}
      y1={plot.top}
      y2={place.floor}
      className="stroke-ink-3"
      strokeDasharray="2 3"
    />
  );
}

function Moments(props: {
  moments: readonly string[];
  width: number;
  place: ChartPlace;
  shape: MoneyChartProps["shape"];
}) {
  const { moments, width, place, shape } = props;
  const last = moments.length - 1;
  const spanMs = new Date(moments[last] ?? 0).getTime() - new Date(moments[0] ?? 0).getTime();
  const format = spanMs > 2 * dayMs ? formatDay : formatHourMinute;
  const count = Math.max(2, Math.min(7, Math.floor(width / momentWidthMin)));
  const indices = tickIndices(last, count);
  const middle = shape === "bars" ? place.columnWidth / 2 : 0;
  return (
    <g className="fill-ink-3 text-2xs tabular">
      {indices.map((index) => (
        <text
          key={index}
          x={place.left + index * place.columnWidth + middle}
          y={height - 5}
          textAnchor={index === 0 ? "start" : index === last ? "end" : "middle"}
        >
          {format(new Date(moments[index] ?? 0))}
        </text>
      ))}
    </g>
  );
}

function describe(
  series: readonly MoneySeries[],
  { currency, shape }: { currency: Currency; shape: MoneyChartProps["shape"] },
): string {
  return series
    .map((line) => {
      const micros =
        shape === "bars"
          ? line.values.reduce((sum, value) => sum + value, 0n)
          : (line.values.at(-1) ?? 0n);
      return `${line.name}: ${formatMicros(micros, currency)} ${shape === "bars" ? "in all" : "at the end"}`;
    })
    .join("; ");
}
