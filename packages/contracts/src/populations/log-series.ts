/** Series that logs give of each service: lines that tell of errors, and lines of one form, counted over the time. */

import type { LogLine } from "../model/evidence.ts";
import { mineTemplates } from "../logs/templates.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { cutText, shorten } from "../text/cut-text.ts";
import { lineAt, type LoggedLines, loggedLinesOf } from "./log-lines.ts";
import type { FailedCalls, ObservedSeries } from "./observed-series.ts";
import { type TimeParts, timePartsOf } from "./time-parts.ts";

/** Parts into which the time that the logs cover is divided. */
const partCount = 40;
/** Fewer lines say too little of when they came. */
const lineCountMin = 40;
/** Lines whose forms are told apart; of more, those that tell of errors alone, and of these the first. */
const minedCountMax = 200_000;
/** Forms of lines, with the service that wrote them, that become series: the most frequent ones. */
const formCountMax = 2_000;
/** Lines of one form and service, at least. */
const formLineCountMin = 3;
const formLengthMax = 160;

/** Series by service; none where the logs are too few. A part begins at the moment, where one is given. */
export function logSeriesOf(snapshot: Snapshot, momentMicros?: number): LogSeries {
  const known = seriesBySnapshot.get(snapshot);
  if (known !== undefined && known.momentMicros === momentMicros) return known.made;
  const lines = loggedLinesOf(snapshot);
  const made = { series: madeSeries(lines, momentMicros), failedCalls: failedCallsIn(lines) };
  seriesBySnapshot.set(snapshot, { momentMicros, made });
  return made;
}

export interface LogSeries {
  readonly series: readonly ObservedSeries[];
  /** Hosts that each service says it could not call. */
  readonly failedCalls: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A memory and no state: the same snapshot and moment always have the same series. */
const seriesBySnapshot = new WeakMap<
  Snapshot,
  { readonly momentMicros: number | undefined; readonly made: LogSeries }
>();

function failedCallsIn({
  services,
  serviceOf,
  hosts,
  hostOf,
}: LoggedLines): LogSeries["failedCalls"] {
  const calls = new Map<string, Set<string>>();
  if (hosts.length === 0) return calls;
  for (const [at, number] of hostOf.entries()) {
    const host = hosts[number];
    if (host === undefined) continue;
    const service = services[serviceOf[at] ?? 0] ?? "";
    calls.set(service, (calls.get(service) ?? new Set()).add(host));
  }
  return calls;
}

function madeSeries(lines: LoggedLines, momentMicros: number | undefined): ObservedSeries[] {
  const timed = lines.timesMicros.filter((time) => time >= 0);
  if (timed.length < lineCountMin) return [];
  const parts = timePartsOf(timed, { partCount, alignMicros: momentMicros });
  if (parts === undefined) return [];
  const partOf = new Int32Array(lines.lineCount);
  for (const [at, time] of lines.timesMicros.entries())
    partOf[at] = time < 0 ? -1 : parts.partOf(time);
  const usual = calmCounts(lines, partOf, parts);
  const make = seriesMaker({ lines, parts, partOf, usual });
  return [...wholeSeries(lines, make), ...formSeries(lines, make)].sort(
    (left, right) =>
      compareText(left.service, right.service) ||
      compareText(left.signal, right.signal) ||
      compareText(left.name, right.name),
  );
}

/** Lines that tell of no error, by service and part: how busy a service was. */
function calmCounts(lines: LoggedLines, partOf: Int32Array, parts: TimeParts): Float64Array[] {
  const counts = lines.services.map(() => new Float64Array(parts.startsMicros.length));
  for (let at = 0; at < lines.lineCount; at += 1) {
    const part = partOf[at] ?? -1;
    const own = counts[lines.serviceOf[at] ?? 0];
    if (part >= 0 && own !== undefined && lines.isGrave[at] === 0) own[part] = (own[part] ?? 0) + 1;
  }
  return counts;
}

interface Form {
  readonly service: number;
  readonly name: string;
  readonly signal: ObservedSeries["signal"];
  /** Whether it may prove that something departs; else it only ranks. */
  readonly isProving: boolean;
  /** Numbers of its lines. */
  readonly numbers: readonly number[];
}

type Make = (form: Form) => ObservedSeries;

function seriesMaker(given: {
  readonly lines: LoggedLines;
  readonly parts: TimeParts;
  readonly partOf: Int32Array;
  readonly usual: readonly Float64Array[];
}): Make {
  const { lines, parts, partOf, usual } = given;
  return ({ service, name, signal, isProving, numbers }) => {
    const values = new Float64Array(parts.startsMicros.length);
    for (const number of numbers) {
      const part = partOf[number] ?? -1;
      if (part >= 0) values[part] = (values[part] ?? 0) + 1;
    }
    const exampleAt = (micros: number): ReturnType<typeof lineAt> => {
      const first = numbers.find((number) => (lines.timesMicros[number] ?? -1) >= micros);
      return lineAt(lines, first ?? numbers[0] ?? -1);
    };
    return {
      service: lines.services[service] ?? "",
      name,
      origin: "logs",
      signal,
      timesMicros: parts.startsMicros,
      values,
      counted: {
        usual: usual[service] ?? values,
        isProving,
        exampleAt,
        failedCallsFrom: (micros) => failedCallsFrom(lines, numbers, micros),
      },
      // Computed only where a finding points at it.
      get evidenceId() {
        return lineAt(lines, numbers[0] ?? -1)?.evidenceId ?? "";
      },
      locator: `lines of ${lines.services[service] ?? ""}`,
    };
  };
}

function failedCallsFrom(
  { timesMicros, hosts, hostOf }: LoggedLines,
  numbers: readonly number[],
  micros: number,
): FailedCalls {
  const counts = new Map<string, number>();
  let lineCount = 0;
  for (const number of numbers) {
    if ((timesMicros[number] ?? -1) < micros) continue;
    lineCount += 1;
    const host = hosts[hostOf[number] ?? -1];
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return { lineCount, hosts: counts };
}

/** All lines of a service that tell of errors, as one series. */
function wholeSeries(lines: LoggedLines, make: Make): ObservedSeries[] {
  const numbers = lines.services.map((): number[] => []);
  for (let at = 0; at < lines.lineCount; at += 1) {
    if (lines.isGrave[at] === 1 && (lines.timesMicros[at] ?? -1) >= 0)
      numbers[lines.serviceOf[at] ?? 0]?.push(at);
  }
  return numbers.flatMap((own, service) =>
    own.length < formLineCountMin
      ? []
      : [make({ service, name: "error lines", signal: "errors", isProving: true, numbers: own })],
  );
}

/** What stands before the message in most logs, and says nothing of what it tells. */
const header =
  /^[\s[(]{0,4}(?:\d[\d:.,T/Z+ -]{5,39}[\])]?\s{1,4})?(?:[[(]?(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)[\])]?[:\s]{1,8})?/;
const ids = /\b(?:trace|span|request|correlation)[-_ ]?id\s?[:=]\s?"?[\w-]{1,64}"?[,;]?\s{0,2}/gi;
/** Characters of a line that are looked at. */
const messageLengthMax = 2_048;

function messageOf(text: string): string {
  return cutText(text, messageLengthMax).replace(header, "").replaceAll(ids, "");
}

/** The messages of the lines whose forms are told apart, one after another, so that they are not all there at once. */
function* minedLines(lines: LoggedLines, numbers: number[]): Generator<LogLine> {
  const isAll = lines.lineCount <= minedCountMax;
  let at = -1;
  for (const { content } of lines.logs) {
    for (const line of content.lines) {
      at += 1;
      const isMeant = isAll || lines.isGrave[at] === 1;
      if (!isMeant || (lines.timesMicros[at] ?? -1) < 0) continue;
      if (numbers.length === minedCountMax) return;
      numbers.push(at);
      yield { ...line, text: messageOf(line.text) };
    }
  }
}

/** Lines of each form that a service wrote. */
function formSeries(lines: LoggedLines, make: Make): ObservedSeries[] {
  const numbers: number[] = [];
  const { templates, templateOfLine } = mineTemplates(minedLines(lines, numbers));
  const byForm = new Map<number, number[]>();
  for (const [place, number] of numbers.entries()) {
    const service = lines.serviceOf[number] ?? 0;
    const key = service * templates.length + (templateOfLine[place] ?? 0);
    const own = byForm.get(key);
    if (own === undefined) byForm.set(key, [number]);
    else own.push(number);
  }
  const forms = [...byForm].filter(([, own]) => own.length >= formLineCountMin);
  const isGrave = ([first = 0]: readonly number[]): boolean => lines.isGrave[first] === 1;
  return forms
    .sort(
      ([leftKey, left], [rightKey, right]) =>
        Number(isGrave(right)) - Number(isGrave(left)) ||
        right.length - left.length ||
        leftKey - rightKey,
    )
    .slice(0, formCountMax)
    .map(([key, own]) => {
      const template = templates[key % templates.length];
      return make({
        service: Math.floor(key / templates.length),
        name: `lines "${shorten(template?.text ?? "", formLengthMax)}"`,
        signal: isGrave(own) ? "errors" : "other",
        isProving: isGrave(own),
        numbers: own,
      });
    });
}
