/** Gathers goroutines into groups that do the same. */

import type { GoroutineGroup, GoroutinesContent, StackFrame } from "../../model/goroutines.ts";
import type { Recording } from "../../model/recording.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import { goroutineLimits } from "./limits.ts";

const { groupCountMax, frameCountMax, nameLengthMax, waitCountMax, oldestCountMax } =
  goroutineLimits;

/** What goroutines of one group have in common. */
export interface GroupShape {
  readonly state: string | undefined;
  readonly isLeaked: boolean;
  readonly stack: readonly number[];
  readonly creator: number | undefined;
}

/** A group while it is gathered. */
export interface OpenGroup {
  readonly shape: GroupShape;
  count: number;
  /** Goroutines by the minutes that they have been blocked for. */
  waits: Map<number, number> | undefined;
  /** Ids of the goroutines that started these, as often as they did. */
  creatorIds: number[] | undefined;
  /** The lowest ids, ascending. */
  oldestIds: number[] | undefined;
}

/** Takes the id of a goroutine among the lowest of its group, if it is one. */
export function noteId(group: OpenGroup, id: number): void {
  const ids = (group.oldestIds ??= []);
  const last = ids[ids.length - 1];
  if (ids.length === oldestCountMax && last !== undefined && id >= last) return;
  const place = ids.findLastIndex((known) => known < id) + 1;
  ids.splice(place, 0, id);
  if (ids.length > oldestCountMax) ids.pop();
}

/** Frames by what they say, each once. */
export class FrameTable {
  readonly frames: StackFrame[] = [];
  readonly #indices = new Map<string, number>();

  add(frame: StackFrame): number {
    const bounded: StackFrame = { function: nameOf(frame.function) };
    if (frame.file !== undefined && frame.file !== "") bounded.file = nameOf(frame.file);
    if (frame.line !== undefined && frame.line > 0) bounded.line = frame.line;
    const key = `${bounded.function}\n${bounded.file ?? ""}\n${bounded.line ?? ""}`;
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    if (this.frames.length >= frameCountMax) throw tooMany("frames", frameCountMax);
    this.#indices.set(key, this.frames.length);
    return this.frames.push(bounded) - 1;
  }
}

function nameOf(text: string): string {
  return cutText(text.toWellFormed(), nameLengthMax);
}

export class GoroutineTable {
  readonly frames = new FrameTable();
  readonly #groups = new Map<string, OpenGroup>();
  goroutineCount = 0;

  /** The group of a shape, made where there is none. */
  group(shape: GroupShape): OpenGroup {
    const key = `${shape.state ?? ""}|${shape.isLeaked}|${shape.creator ?? ""}|${shape.stack.join(",")}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= groupCountMax) throw tooMany("different stacks", groupCountMax);
    const made: OpenGroup = {
      shape,
      count: 0,
      waits: undefined,
      creatorIds: undefined,
      oldestIds: undefined,
    };
    this.#groups.set(key, made);
    return made;
  }

  add(group: OpenGroup, count: number): void {
    group.count += count;
    this.goroutineCount += count;
    if (this.goroutineCount > goroutineLimits.goroutineCountMax) {
      throw tooMany("goroutines", goroutineLimits.goroutineCountMax);
    }
  }

  /** `alive` tells whether the goroutine of an id is in the dump. */
  content(
    recording: Recording,
    form: GoroutinesContent["form"],
    alive?: (id: number) => boolean,
  ): GoroutinesContent {
    const groups = [...this.#groups.values()].map((group) => closed(group, alive));
    groups.sort((left, right) => right.count - left.count);
    return {
      kind: "goroutines",
      recording,
      form,
      goroutineCount: this.goroutineCount,
      frames: this.frames.frames,
      groups,
    };
  }
}

function closed(
  { shape, count, waits, creatorIds, oldestIds }: OpenGroup,
  alive: ((id: number) => boolean) | undefined,
): GoroutineGroup {
  const group: GoroutineGroup = { count, stack: [...shape.stack] };
  if (shape.state !== undefined) group.state = cutText(shape.state.toWellFormed(), 128);
  if (shape.isLeaked) group.isLeaked = true;
  if (shape.creator !== undefined) group.creator = shape.creator;
  if (waits !== undefined) group.waits = waitsOf(waits);
  if (creatorIds !== undefined && creatorIds.length > 0 && alive !== undefined) {
    let orphanCount = 0;
    for (const id of creatorIds) if (!alive(id)) orphanCount += 1;
    group.creators = { differentCount: new Set(creatorIds).size, orphanCount };
  }
  if (oldestIds !== undefined) group.oldestIds = oldestIds;
  return group;
}

function waitsOf(waits: ReadonlyMap<number, number>): { minutes: number; count: number }[] {
  let step = 1;
  let merged = waits;
  while (merged.size > waitCountMax) {
    step *= 60;
    const coarser = new Map<number, number>();
    for (const [minutes, count] of waits) {
      const from = Math.floor(minutes / step) * step;
      coarser.set(from, (coarser.get(from) ?? 0) + count);
    }
    merged = coarser;
  }
  return [...merged]
    .sort(([left], [right]) => left - right)
    .map(([minutes, count]) => ({ minutes, count }));
}

function tooMany(what: string, limit: number): EvidenceError {
  return new EvidenceError(`The recording has more than ${limit} ${what}.`, {
    expected: `at most ${limit} ${what}`,
  });
}
