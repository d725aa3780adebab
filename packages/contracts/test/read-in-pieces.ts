/** Whether reading a file as its bytes come in gives what reading it whole gives. */

import { expect } from "vitest";

import { EvidenceError } from "../src/readers/evidence-error.ts";
import type { EvidenceFormat, FileContent, FormatInput } from "../src/readers/format.ts";
import { decodeText, headOf, looksBinary } from "../src/readers/text.ts";

/** What formats see of a file. */
export function inputOf(bytes: Uint8Array, name: string): FormatInput {
  const head = looksBinary(bytes) ? undefined : headOf(bytes);
  return { bytes, head, name, text: () => decodeText(bytes) };
}

/**
 * The file in chunks that end at these places, which are overwritten afterwards, as a file's buffer is. `undefined` where
 * the format wants to read it whole.
 */
export function readInPieces(
  format: EvidenceFormat,
  input: FormatInput,
  cuts: readonly number[],
): FileContent | undefined {
  const { bytes } = input;
  const reader = format.open?.({ ...input, text: () => input.head ?? "" });
  if (reader === undefined) return undefined;
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let from = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    const chunk = bytes.slice(from, end);
    reader.push(chunk);
    chunk.fill(0xff);
    from = end;
  }
  return reader.end();
}

/** A result, or the words and the place of the error. */
export function outcomeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    const { message, where, expected } = error;
    return { message, where, expected };
  }
}

/** Holds both readings of a file to the same outcome; whether it was read in pieces at all. */
export function readsTheSameInPieces(
  format: EvidenceFormat,
  { bytes, name }: { readonly bytes: Uint8Array; readonly name: string },
  cuts: readonly number[],
): boolean {
  const input = inputOf(bytes, name);
  const inPieces = outcomeOf(() => readInPieces(format, input, cuts));
  if (inPieces === undefined) return false;
  expect(inPieces).toEqual(outcomeOf(() => format.read(input)));
  return true;
}
