/** Reads the protobuf of pprof: texts, functions, places and samples. */

import { EvidenceError } from "../evidence-error.ts";
import { ProtobufCursor } from "../protobuf-cursor.ts";
import { pprofLimits } from "./limits.ts";

/** What is read here, in the words of errors. */
export const profileWords = {
  subject: "The profile",
  expected: "a profile of pprof in protobuf",
};

/** A function at one place of the program, as indices and a line. */
interface Place {
  readonly functionId: number;
  readonly line: number;
}

export interface RawSample {
  readonly locationIds: readonly number[];
  readonly values: readonly number[];
}

/** A profile as it was written. Texts are found by index, functions and locations by id. */
export interface RawProfile {
  readonly sampleTypes: readonly { readonly type: number; readonly unit: number }[];
  readonly samples: readonly RawSample[];
  /** Innermost function first. */
  readonly locations: ReadonlyMap<number, readonly Place[]>;
  readonly functions: ReadonlyMap<number, { readonly name: number; readonly file: number }>;
  readonly timeNanos: number;
  readonly durationNanos: number;
  text(index: number): string;
}

const tags = {
  sampleType: 1,
  sample: 2,
  location: 4,
  function: 5,
  text: 6,
  time: 9,
  duration: 10,
};

/** Decodes a whole profile. */
export function decodeProfile(bytes: Uint8Array): RawProfile {
  const cursor = new ProtobufCursor(bytes, profileWords);
  const sampleTypes: { type: number; unit: number }[] = [];
  const samples: RawSample[] = [];
  const locations = new Map<number, readonly Place[]>();
  const functions = new Map<number, { name: number; file: number }>();
  const texts: Uint8Array[] = [];
  let [timeNanos, durationNanos] = [0, 0];
  while (!cursor.isAtEnd) {
    const tag = cursor.tag();
    switch (tag >>> 3) {
      case tags.sampleType:
        hold(sampleTypes.length, pprofLimits.measureCountMax, "measures");
        sampleTypes.push(sampleTypeOf(cursor.message()));
        break;
      case tags.sample:
        hold(samples.length, pprofLimits.sampleCountMax, "samples");
        samples.push(sampleOf(cursor.message()));
        break;
      case tags.location: {
        hold(locations.size, pprofLimits.locationCountMax, "locations");
        const { id, places } = locationOf(cursor.message());
        locations.set(id, places);
        break;
      }
      case tags.function: {
        hold(functions.size, pprofLimits.functionCountMax, "functions");
        const { id, name, file } = functionOf(cursor.message());
        functions.set(id, { name, file });
        break;
      }
      case tags.text:
        hold(texts.length, pprofLimits.textCountMax, "texts");
        texts.push(cursor.bytes());
        break;
      case tags.time:
        timeNanos = Math.max(cursor.signed(), 0);
        break;
      case tags.duration:
        durationNanos = Math.max(cursor.signed(), 0);
        break;
      default:
        cursor.skip(tag);
    }
  }
  const decoder = new TextDecoder("utf-8");
  return {
    sampleTypes,
    samples,
    locations,
    functions,
    timeNanos,
    durationNanos,
    text: (index) => decoder.decode(texts[index] ?? new Uint8Array(0)),
  };
}

function hold(count: number, limit: number, what: string): void {
  if (count < limit) return;
  throw new EvidenceError(`The profile has more than ${limit} ${what}.`, {
    expected: `at most ${limit} ${what}`,
  });
}

function sampleTypeOf(message: ProtobufCursor): { type: number; unit: number } {
  const found = { type: 0, unit: 0 };
  while (!message.isAtEnd) {
    const tag = message.tag();
    if (tag === 0x08) found.type = message.unsigned();
    else if (tag === 0x10) found.unit = message.unsigned();
    else message.skip(tag);
  }
  return found;
}

function sampleOf(message: ProtobufCursor): RawSample {
  const locationIds: number[] = [];
  const values: number[] = [];
  while (!message.isAtEnd) {
    const tag = message.tag();
    if (tag >>> 3 === 1) message.numbers(tag, locationIds, pprofLimits.stackDepthMax);
    else if (tag >>> 3 === 2) message.numbers(tag, values, pprofLimits.measureCountMax);
    else message.skip(tag);
  }
  return { locationIds, values };
}

function locationOf(message: ProtobufCursor): { id: number; places: Place[] } {
  let id = 0;
  const places: Place[] = [];
  while (!message.isAtEnd) {
    const tag = message.tag();
    if (tag === 0x08) id = message.unsigned();
    else if (tag === 0x22 && places.length < pprofLimits.inlinedCountMax) {
      const line = message.message();
      let [functionId, number] = [0, 0];
      while (!line.isAtEnd) {
        const inner = line.tag();
        if (inner === 0x08) functionId = line.unsigned();
        else if (inner === 0x10) number = line.signed();
        else line.skip(inner);
      }
      places.push({ functionId, line: number });
    } else message.skip(tag);
  }
  return { id, places };
}

function functionOf(message: ProtobufCursor): { id: number; name: number; file: number } {
  const found = { id: 0, name: 0, file: 0 };
  while (!message.isAtEnd) {
    const tag = message.tag();
    if (tag === 0x08) found.id = message.unsigned();
    else if (tag === 0x10) found.name = message.unsigned();
    else if (tag === 0x20) found.file = message.unsigned();
    else message.skip(tag);
  }
  return found;
}
