/** Reads durations and moments as headers, attributes and configurations write them. */

const unitMicros: Readonly<Record<string, number>> = {
  ns: 0.001,
  us: 1,
  µs: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};

const words: Readonly<Record<string, string>> = {
  n: "ns",
  ns: "ns",
  nanos: "ns",
  nanoseconds: "ns",
  nano: "ns",
  us: "us",
  µs: "us",
  μs: "us",
  micros: "us",
  microseconds: "us",
  ms: "ms",
  msec: "ms",
  msecs: "ms",
  millis: "ms",
  milliseconds: "ms",
  millisecond: "ms",
  s: "s",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  m: "m",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  h: "h",
  hr: "h",
  hour: "h",
  hours: "h",
  d: "d",
  day: "d",
  days: "d",
};

/** The unit that a name ends in, for example `ms` of `client.timeoutMs`; `undefined` when it names none. */
export function unitOfName(name: string): string | undefined {
  const last = /(?:^|[._-]|(?<=[a-z])(?=[A-Z]))([A-Za-zµμ]+)$/.exec(name)?.[1]?.toLowerCase();
  return last === undefined || last.length < 1 ? undefined : words[last];
}

/** Microseconds of a number in a unit. */
export function microsOfUnit(value: number, unit: string): number | undefined {
  const micros = unitMicros[unit];
  return micros === undefined ? undefined : value * micros;
}

/** Microseconds of a text such as `1500ms`, `1m30s`, `2.5 s` or `PT2S`; `undefined` for anything else. */
export function durationMicrosOf(text: string): number | undefined {
  const plain = text.trim();
  if (plain.length > 64) return undefined;
  if (/^P/i.test(plain)) return isoDurationMicrosOf(plain);
  let rest = plain;
  let total = 0;
  while (rest !== "") {
    const part = /^(\d+(?:\.\d+)?)\s*([a-zµμ]+)\s*/i.exec(rest);
    const unit = words[(part?.[2] ?? "").toLowerCase()];
    if (part === null || unit === undefined) return undefined;
    total += Number(part[1]) * (unitMicros[unit] ?? Number.NaN);
    rest = rest.slice(part[0].length);
  }
  return plain === "" || !Number.isFinite(total) ? undefined : total;
}

/** Microseconds of gRPC's header: up to eight digits and one of `HMSmun`. */
export function grpcTimeoutMicrosOf(text: string): number | undefined {
  const match = /^(\d{1,8})\s*([HMSmun])$/.exec(text.trim());
  if (match === null) return undefined;
  const micros = { H: 3.6e9, M: 6e7, S: 1e6, m: 1e3, u: 1, n: 1e-3 }[match[2] ?? ""];
  return micros === undefined ? undefined : Number(match[1]) * micros;
}

function isoDurationMicrosOf(text: string): number | undefined {
  const match =
    /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(
      text,
    );
  if (match === null || text.length < 3) return undefined;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = match;
  return (
    Number(days) * 86_400e6 +
    Number(hours) * 3_600e6 +
    Number(minutes) * 60e6 +
    Number(seconds) * 1e6
  );
}

/** Microseconds since 1970 of a date as headers and logs write it, or of a number of the size of one. */
export function momentMicrosOf(value: string | number): number | undefined {
  if (typeof value === "string" && !/^\d{9,19}(?:\.\d+)?$/.test(value)) {
    if (!/^\d{4}-\d\d-\d\dT|^[A-Z][a-z]{2}, \d\d /.test(value)) return undefined;
    const millis = Date.parse(value);
    return Number.isNaN(millis) ? undefined : millis * 1_000;
  }
  const number = Number(value);
  // Seconds, milliseconds, microseconds and nanoseconds since 1970 differ by a thousand each.
  if (number >= 1e9 && number < 1e11) return number * 1e6;
  if (number >= 1e12 && number < 1e14) return number * 1e3;
  if (number >= 1e15 && number < 1e17) return number;
  return number >= 1e18 && number < 1e20 ? number / 1e3 : undefined;
}
