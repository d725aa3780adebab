/** Look-ups in caches, and the loads that follow a miss. */

import type { AttributeValue, Span } from "../model/span.ts";
import { textOf } from "../traces/call.ts";
import { isWithin } from "../traces/is-within.ts";
import { mark } from "../traces/marks.ts";
import { endMicrosOf, noParent, type Trace } from "../traces/trace.ts";
import { sentryOperationOf } from "../traces/vendor-span.ts";

/** A look-up of one key, with what was loaded instead when it missed. */
export interface Lookup {
  readonly trace: Trace;
  readonly index: number;
  readonly service: string;
  readonly key: string;
  /** `unknown` when the record shows neither an outcome nor a fill that would follow a miss. */
  readonly outcome: "hit" | "miss" | "unknown";
  /** The index of the call that brought what the cache did not have; looked for after a miss only. */
  readonly load: number | undefined;
}

/** Spans that are looked at after a look-up to find its load. */
const loadDistanceMax = 64;

/** The look-ups of a trace whose key is recorded, in order of time. */
export function lookupsOf(trace: Trace, cacheSystems: readonly string[]): Lookup[] {
  const lookups: Lookup[] = [];
  if (!trace.hasMarks(mark.cache | mark.database)) return lookups;
  let mayFill: boolean | undefined;
  for (let index = 0; index < trace.spans.length; index += 1) {
    const marks = trace.marksOf(index);
    if ((marks & (mark.cache | mark.database)) === 0) continue;
    const isStore = (marks & mark.cache) === 0;
    if (isStore && !cacheSystems.includes(trace.callOf(index)?.system ?? "")) continue;
    const read = readOf(trace, index, cacheSystems);
    if (read === undefined) continue;
    const { key } = read;
    // What happened after a look-up is of no interest where it hit, or where nothing fills the cache that it asked.
    if (read.outcome === "unknown") mayFill ??= fillsCache(trace, cacheSystems);
    const isLookedAfter = read.outcome === "miss" || (read.outcome === "unknown" && mayFill);
    const after = isLookedAfter ? afterOf(trace, index, { key, cacheSystems }) : undefined;
    const isFilled = after?.isFilled === true && after.load !== undefined;
    const outcome = read.outcome === "unknown" && isFilled ? "miss" : read.outcome;
    const { service } = trace.span(index);
    lookups.push({ trace, index, service, key, outcome, load: after?.load });
  }
  return lookups;
}

/** Whether any call of a trace puts something into a cache. */
function fillsCache(trace: Trace, cacheSystems: readonly string[]): boolean {
  for (let index = 0; index < trace.spans.length; index += 1) {
    const call = trace.callOf(index);
    // A command that reads by its recognised verb puts nothing anywhere.
    if (call === undefined || call.isRead || !cacheSystems.includes(call.system)) continue;
    const command = commandOf(trace, index, cacheSystems);
    if (command !== undefined && fills(command)) return true;
  }
  return false;
}

function fills({ verb }: Command): boolean {
  return /^(?:set|setex|psetex|setnx|hset|hmset|json\.set|add)$/.test(verb);
}

interface Read {
  readonly key: string;
  readonly outcome: Lookup["outcome"];
}

function readOf(trace: Trace, index: number, cacheSystems: readonly string[]): Read | undefined {
  const span = trace.span(index);
  const { attributes } = span;
  // The names of all that tells an outcome have this mark.
  const recordedOutcome = (): Lookup["outcome"] =>
    (trace.marksOf(index) & mark.cache) === 0 ? "unknown" : outcomeOf(span);
  const command = commandOf(trace, index, cacheSystems);
  if (command !== undefined) {
    if (!/^(?:get|hget|hgetall|json\.get|gets?)$/.test(command.verb)) return undefined;
    const rows = trace.callOf(index)?.rowCount;
    const recorded = recordedOutcome();
    const byRows = rows === undefined ? "unknown" : rows === 0 ? "miss" : "hit";
    return { key: command.key, outcome: recorded === "unknown" ? byRows : recorded };
  }
  const outcome = recordedOutcome();
  if (outcome === "unknown") return undefined;
  const operation = sentryOperationOf(span, trace.marksOf(index)) ?? "";
  if (/\.(?:put|set|remove|flush|write|delete)/.test(operation)) return undefined;
  const key = oneText(attributes["cache.key"]) ?? oneText(attributes["cache.item.key"]);
  return key === undefined ? undefined : { key, outcome };
}

/** What a span says of its look-up, in the words of several tracers. */
function outcomeOf({ attributes }: Span): Lookup["outcome"] {
  const flag = attributes["cache.hit"] ?? attributes["cache_hit"] ?? attributes["db.cache.hit"];
  if (flag === true || flag === "true") return "hit";
  if (flag === false || flag === "false") return "miss";
  const word = textOf(
    attributes,
    "cache.result",
    "cache.outcome",
    "cache.status",
    "cache.lookup.result",
  );
  if (word === undefined) return "unknown";
  if (/^hit$/i.test(word)) return "hit";
  return /^(?:miss|expired|stale)$/i.test(word) ? "miss" : "unknown";
}

interface Command {
  readonly verb: string;
  readonly key: string;
}

/** A command of Redis and its relatives; `undefined` where its key is masked. */
function commandOf(
  trace: Trace,
  index: number,
  cacheSystems: readonly string[],
): Command | undefined {
  const call = trace.callOf(index);
  if (call === undefined || !cacheSystems.includes(call.system)) return undefined;
  const [, verb, recordedKey] =
    /^\s*["']?([a-z.]+)["']?\s+["']?([^\s"']+)/i.exec(call.target) ?? [];
  const key = recordedKey ?? oneText(trace.span(index).attributes["db.redis.key"]);
  if (verb === undefined || key === undefined || /^[?*$]/.test(key)) return undefined;
  return { verb: verb.toLowerCase(), key };
}

interface After {
  readonly load: number | undefined;
  readonly isFilled: boolean;
}

/** The first read of another store after a look-up, within its scope, and whether the key was filled after it. */
function afterOf(
  trace: Trace,
  index: number,
  { key, cacheSystems }: { key: string; cacheSystems: readonly string[] },
): After {
  const scopes: ReadonlySet<number> = new Set([index, trace.parents[index] ?? noParent]);
  const { service } = trace.span(index);
  const last = Math.min(trace.spans.length, index + 1 + loadDistanceMax);
  let load: number | undefined;
  for (let at = index + 1; at < last; at += 1) {
    const call = trace.callOf(at);
    if (call === undefined || trace.span(at).service !== service) continue;
    const isCache = cacheSystems.includes(call.system);
    if (isCache && load === undefined && readsAnotherKey(trace, at, { key, cacheSystems })) break;
    if (!isCache && load === undefined && call.isRead && isWithin(trace, at, scopes)) {
      load = at;
    }
    if (isCache && load !== undefined) {
      const command = commandOf(trace, at, cacheSystems);
      if (command?.key === key && fills(command)) return { load, isFilled: true };
    }
  }
  return { load, isFilled: false };
}

/** A look-up of something else before any load: what is loaded after it belongs to that. */
function readsAnotherKey(
  trace: Trace,
  index: number,
  { key, cacheSystems }: { key: string; cacheSystems: readonly string[] },
): boolean {
  const command = commandOf(trace, index, cacheSystems);
  return command !== undefined && command.key !== key && /^h?get/.test(command.verb);
}

/** When what a look-up asked for was there: at the end of its load, else of itself. */
export function endOfLookup({ trace, index, load }: Lookup): number {
  return endMicrosOf(trace.span(load ?? index));
}

function oneText(value: AttributeValue | undefined): string | undefined {
  if (Array.isArray(value)) return value.length === 1 ? oneText(value[0]) : undefined;
  return typeof value === "string" && value !== "" && !/^[?*]+$/.test(value) ? value : undefined;
}
