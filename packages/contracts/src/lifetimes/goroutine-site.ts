/** Sites: where goroutines of one recording are, in what state, and who started them. */

import type { GoroutineGroup, GoroutinesContent, StackFrame } from "../model/goroutines.ts";
import { isStandard } from "./go-function.ts";
import { clientOf, type GoroutineRole, marks, marksOf, roleOf } from "./goroutine-role.ts";

/** How a goroutine is blocked, as far as the recording tells. */
export type BlockedBy =
  | "send"
  | "receive"
  | "channel"
  | "select"
  | "forever"
  | "lock"
  | "group"
  | "condition"
  | "io"
  | "sleep"
  | "unknown"
  | "nothing";

export interface Site {
  /** Equal for the same site in other recordings of the process. */
  readonly key: string;
  readonly blockedBy: BlockedBy;
  readonly state: string | undefined;
  readonly role: GoroutineRole;
  /** The client of a library that each of these belongs to. */
  readonly client: string | undefined;
  /** Where they are blocked: the innermost frame. */
  readonly top: StackFrame;
  /** The innermost frame that is not Go's own. */
  readonly code: StackFrame;
  readonly functions: readonly string[];
  readonly creator: StackFrame | undefined;
  /** What the functions say together, as bits. */
  readonly marks: number;
  readonly isMain: boolean;
  count: number;
  leakedCount: number;
  readonly waits: Map<number, number>;
  differentCreatorCount: number;
  orphanCount: number;
  hasCreators: boolean;
  /** The lowest ids, ascending, where a dump says them. */
  oldestIds: readonly number[] | undefined;
}

/** What is known of a frame, found once for all stacks that it stands on. */
interface KnownFrame {
  readonly frame: StackFrame;
  readonly place: string;
  readonly marks: number;
  readonly isStandard: boolean;
}

const noFrame: KnownFrame = knownFrame({ function: "unknown" });

function knownFrame(frame: StackFrame): KnownFrame {
  return {
    frame,
    place: placeOf(frame),
    marks: marksOf(frame.function),
    isStandard: isStandard(frame.function),
  };
}

/** The sites of a recording by their keys. */
export function sitesOf(content: GoroutinesContent): Map<string, Site> {
  const sites = new Map<string, Site>();
  const frames = content.frames.map(knownFrame);
  for (const group of content.groups) {
    const stack = group.stack.map((index) => frames[index] ?? noFrame);
    const creator = group.creator === undefined ? undefined : frames[group.creator]?.frame;
    const site = siteOf(group, stack, creator);
    const known = sites.get(site.key);
    if (known === undefined) sites.set(site.key, site);
    else add(known, site);
  }
  return sites;
}

function siteOf(
  group: GoroutineGroup,
  stack: readonly KnownFrame[],
  creator: StackFrame | undefined,
): Site {
  const functions = stack.map(({ frame }) => frame.function);
  const [top = noFrame] = stack;
  const code = stack.find((frame) => !frame.isStandard) ?? top;
  const outermost = functions.at(-1) ?? "";
  const blockedBy = blockedByOf(group.state, functions);
  const found = stack.reduce((sum, frame) => sum | frame.marks, 0);
  const site: Site = {
    key: [blockedBy, top.place, code.place, outermost, creator?.function ?? ""].join("\n"),
    blockedBy,
    state: group.state,
    role: roleOf(found, outermost),
    client: (found & marks.client) === 0 ? undefined : clientOf(functions),
    top: top.frame,
    code: code.frame,
    functions,
    creator,
    marks: found,
    isMain: (found & marks.main) !== 0,
    count: group.count,
    leakedCount: group.isLeaked === true ? group.count : 0,
    waits: new Map(),
    differentCreatorCount: group.creators?.differentCount ?? 0,
    orphanCount: group.creators?.orphanCount ?? 0,
    hasCreators: group.creators !== undefined,
    oldestIds: group.oldestIds,
  };
  for (const { minutes, count } of group.waits ?? []) site.waits.set(minutes, count);
  return site;
}

function add(known: Site, more: Site): void {
  known.count += more.count;
  known.leakedCount += more.leakedCount;
  known.differentCreatorCount += more.differentCreatorCount;
  known.orphanCount += more.orphanCount;
  known.hasCreators ||= more.hasCreators;
  known.oldestIds = oldestOf(known.oldestIds, more.oldestIds);
  for (const [minutes, count] of more.waits) {
    known.waits.set(minutes, (known.waits.get(minutes) ?? 0) + count);
  }
}

/** As many of the lowest as one list has, so that neither is known less far than it says. */
function oldestOf(
  left: readonly number[] | undefined,
  right: readonly number[] | undefined,
): readonly number[] | undefined {
  if (left === undefined || right === undefined) return undefined;
  return [...left, ...right]
    .sort((one, other) => one - other)
    .slice(0, Math.max(left.length, right.length));
}

/** `main.fetch (main.go:12)`, without folders, which differ from machine to machine. */
export function placeOf(frame: StackFrame): string {
  if (frame.file === undefined) return frame.function;
  const file = frame.file.slice(frame.file.lastIndexOf("/") + 1);
  return `${frame.function} (${file}${frame.line === undefined ? "" : `:${frame.line}`})`;
}

/** Goroutines of a program's own that are at work run, or wait for a moment, the network or a file. */
const working: readonly BlockedBy[] = ["nothing", "unknown", "sleep", "io"];

/** Whether goroutines of a site show that work is going on. */
export function isActive(site: Site): boolean {
  if (site.role === "request") return true;
  return site.role === "own" && !site.isMain && working.includes(site.blockedBy);
}

/** Equal for goroutines that began in the same way, wherever they are by now. */
export function familyOf(site: Site): string {
  return `${site.functions.at(-1) ?? ""}\n${site.creator?.function ?? ""}`;
}

/** How many have been blocked at least so long. */
export function blockedSince(site: Site, minutesMin: number): number {
  let count = 0;
  for (const [minutes, amount] of site.waits) if (minutes >= minutesMin) count += amount;
  return count;
}

function blockedByOf(state: string | undefined, functions: readonly string[]): BlockedBy {
  switch (state) {
    case undefined:
      return "unknown";
    case "chan send":
      return "send";
    case "chan receive":
      return "receive";
    case "channel":
      return "channel";
    case "select":
      return "select";
    case "chan send (nil chan)":
    case "chan receive (nil chan)":
    case "select (no cases)":
      return "forever";
    case "sync.Mutex.Lock":
    case "sync.RWMutex.Lock":
    case "sync.RWMutex.RLock":
      return "lock";
    case "sync.WaitGroup.Wait":
    case "semacquire":
      return "group";
    case "sync.Cond.Wait":
      return "condition";
    case "IO wait":
      return "io";
    case "sleep":
      return "sleep";
    default:
      return functions.length === 0 ? "unknown" : "nothing";
  }
}
