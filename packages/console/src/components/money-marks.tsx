/** What a chart of amounts draws: stacked bars, or stacked areas that change in steps. */

export interface MoneySeries {
  readonly name: string;
  /** A colour of the style sheet, such as `var(--series-0)`. */
  readonly color: string;
  /** One for each moment, none below zero. */
  readonly values: readonly bigint[];
}

/** From columns and amounts to pixels. */
export interface ChartPlace {
  readonly left: number;
  readonly columnWidth: number;
  readonly floor: number;
  readonly y: (micros: bigint) => number;
}

/** The sum of all series at each moment. */
export function stackTops(series: readonly MoneySeries[]): bigint[] {
  return (series[0]?.values ?? []).map((_, index) =>
    series.reduce((sum, line) => sum + (line.values[index] ?? 0n), 0n),
  );
}

export function MoneyMarks(props: {
  series: readonly MoneySeries[];
  place: ChartPlace;
  shape: "bars" | "steps";
}) {
  const { series, place, shape } = props;
  return series.map((line, order) => {
    const below = series.slice(0, order);
    const base = line.values.map((_, index) =>
      below.reduce((sum, lower) => sum + (lower.values[index] ?? 0n), 0n),
    );
    return shape === "bars" ? (
      <Bars key={line.name} {...{ line, base, place }} />
    ) : (
      <Steps key={line.name} {...{ line, base, place }} />
    );
  });
}

interface MarkProps {
  line: MoneySeries;
  /** What is drawn below it at each moment. */
  base: readonly bigint[];
  place: ChartPlace;
}

function Bars({ line, base, place }: MarkProps) {
  const gap = Math.min(2, place.columnWidth * 0.2);
  return (
    <g style={{ fill: line.color }}>
      {line.values.map((micros, index) => {
        if (micros === 0n) return null;
        const lower = base[index] ?? 0n;
        // What was spent is seen, however little it is beside the rest.
        const bottom = place.y(lower);
        const top = Math.min(place.y(lower + micros), bottom - (lower === 0n ? 1.5 : 0));
        return (
          <rect
            key={index}
            x={place.left + index * place.columnWidth + gap / 2}
            y={top}
            width={Math.max(1, place.columnWidth - gap)}
            height={Math.max(0, bottom - top)}
          />
        );
      })}
    </g>
  );
}

function Steps({ line, base, place }: MarkProps) {
  if (line.values.every((micros) => micros === 0n)) return null;
  const tops = line.values.map((micros, index) => place.y((base[index] ?? 0n) + micros));
  const upper = stepPath(tops, place);
  const lower = stepPath(
    base.map((micros) => place.y(micros)),
    place,
  );
  // The lower edge is walked back from its end.
  const back = lower.toReversed();
  const text = (points: readonly (readonly [number, number])[]): string =>
    points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");
  return (
    <g style={{ color: line.color }}>
      <path d={`M${text(upper)}L${text(back)}Z`} fill="currentColor" opacity={0.18} />
      <path d={`M${text(upper)}`} fill="none" stroke="currentColor" strokeWidth={1.75} />
    </g>
  );
}

/** A balance stays as it is until the moment at which it is another one. */
function stepPath(heights: readonly number[], place: ChartPlace): (readonly [number, number])[] {
  return heights.flatMap((height, index) => {
    const x = place.left + index * place.columnWidth;
    const before = heights[index - 1];
    return before === undefined
      ? [[x, height] as const]
      : [[x, before] as const, [x, height] as const];
  });
}
