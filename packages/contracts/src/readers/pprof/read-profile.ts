/** Makes evidence of a profile of pprof: goroutines in groups, anything else as samples. */

import type { StackFrame } from "../../model/goroutines.ts";
import type { ProfileContent } from "../../model/profile.ts";
import type { Recording } from "../../model/recording.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { FrameTable, GoroutineTable } from "../goroutines/goroutine-table.ts";
import { goroutineLimits } from "../goroutines/limits.ts";
import { parkedFrameCount, parkStateOf } from "../goroutines/park-state.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { ProtobufCursor } from "../protobuf-cursor.ts";
import { pprofLimits } from "./limits.ts";
import { decodeProfile, profileWords, type RawProfile } from "./profile.ts";

/** Fields of a profile by number, with their wire types: texts and messages are 2, numbers 0, and lists of them both. */
const wireTypes: ReadonlyMap<number, readonly number[]> = new Map([
  [1, [2]],
  [2, [2]],
  [3, [2]],
  [4, [2]],
  [5, [2]],
  [6, [2]],
  [7, [0]],
  [8, [0]],
  [9, [0]],
  [10, [0]],
  [11, [2]],
  [12, [0]],
  [13, [0, 2]],
  [14, [0]],
  [15, [0]],
]);
const fieldsLookedAtMax = 200;

/** Whether bytes are a profile: they begin with its fields, and a sample or a type of samples is as it has to be. */
export function recogniseProfile(bytes: Uint8Array): boolean {
  const cursor = new ProtobufCursor(bytes, profileWords);
  let isTyped = false;
  try {
    for (let count = 0; count < fieldsLookedAtMax && !cursor.isAtEnd; count += 1) {
      const tag = cursor.tag();
      if (wireTypes.get(tag >>> 3)?.includes(tag & 7) !== true) return false;
      if (tag === 0x0a || tag === 0x5a) {
        // Two numbers; an export request of OpenTelemetry has a message there.
        const first = cursor.bytes();
        if (first.length > 0 && first[0] !== 0x08 && first[0] !== 0x10) return false;
        isTyped = true;
      } else cursor.skip(tag);
    }
  } catch (error) {
    // Only the beginning is looked at, and it may end within a field.
    if (!(error instanceof EvidenceError)) throw error;
  }
  return isTyped;
}

/** Reads a profile of any kind. */
export function readProfile(input: FormatInput): FileContent {
  const { bytes } = input;
  const raw = decodeProfile(bytes);
  if (raw.sampleTypes.length === 0) {
    throw new EvidenceError("The profile does not say what it measures.", {
      expected: "a profile of pprof with types of samples",
      where: "byte 0",
    });
  }
  const recording = recordingOf(raw, input);
  const measures = raw.sampleTypes.map(({ type, unit }) => ({
    type: shortText(raw.text(type)),
    unit: shortText(raw.text(unit)),
  }));
  const [first] = measures;
  if (first?.type === "goroutine" || first?.type === "goroutineleak") {
    return goroutinesOf(raw, recording, first.type === "goroutineleak");
  }
  const frames = new FrameTable();
  const framesAt = placesOf(raw, frames);
  const content: ProfileContent = {
    kind: "profile",
    recording,
    measures,
    frames: frames.frames,
    samples: raw.samples.map(({ locationIds, values }) => ({
      stack: locationIds.flatMap(framesAt).slice(0, pprofLimits.stackDepthMax),
      values: measures.map((_measure, index) => values[index] ?? 0),
    })),
  };
  if (raw.durationNanos > 0) content.durationNanos = raw.durationNanos;
  return { contents: [content], notes: [] };
}

function recordingOf({ timeNanos }: RawProfile, input: FormatInput): Recording {
  const recording = nameRecording(input);
  if (timeNanos > 0) recording.timeMicros = Math.floor(timeNanos / 1_000);
  return recording;
}

function shortText(text: string): string {
  return text.toWellFormed().slice(0, 64).toWellFormed();
}

/** The frames of a location, innermost first; each location is looked at once. */
function placesOf(raw: RawProfile, frames: FrameTable): (locationId: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  return (locationId) => {
    const seen = known.get(locationId);
    if (seen !== undefined) return seen;
    const places = raw.locations.get(locationId) ?? [];
    const made = places.map(({ functionId, line }) => {
      const found = raw.functions.get(functionId);
      const frame: StackFrame = {
        function: found === undefined ? "" : raw.text(found.name),
        file: found === undefined ? "" : raw.text(found.file),
        line,
      };
      return frames.add(frame.function === "" ? { function: "unknown" } : frame);
    });
    known.set(locationId, made);
    return made;
  };
}

function goroutinesOf(raw: RawProfile, recording: Recording, isLeaks: boolean): FileContent {
  const table = new GoroutineTable();
  const framesAt = placesOf(raw, table.frames);
  const nameOf = (index: number): string => table.frames.frames[index]?.function ?? "";
  for (const { locationIds, values } of raw.samples) {
    const count = Math.floor(values[0] ?? 0);
    if (count <= 0) continue;
    const stack = locationIds
      .flatMap(framesAt)
      .filter((index) => nameOf(index) !== "runtime.goexit");
    const innermost = stack.slice(0, innermostMax).map(nameOf);
    const kept = stack.slice(parkedFrameCount(innermost), goroutineLimits.stackDepthMax);
    const group = table.group({
      state: parkStateOf(innermost),
      isLeaked: isLeaks,
      stack: kept,
      creator: undefined,
    });
    table.add(group, count);
  }
  return {
    contents: [table.content(recording, isLeaks ? "leaks" : "profile")],
    notes: [],
  };
}

/** Frames at which the runtime's own are looked for. */
const innermostMax = 16;
