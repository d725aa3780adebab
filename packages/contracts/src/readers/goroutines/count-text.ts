/** Reads profiles of goroutines as text: what `debug=1` answers, each stack once with how many goroutines have it. */

import type { StackFrame } from "../../model/goroutines.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { GoroutineTable } from "./goroutine-table.ts";
import { goroutineLimits } from "./limits.ts";
import { parkedFrameCount, parkStateOf } from "./park-state.ts";

const title = /^\s*(goroutine|goroutineleak) profile: total (\d{1,15})[ \r]*\n/;
const stackLine = /^(\d{1,15}) @((?: 0x[0-9a-fA-F]+)*)\s*$/;
const frameLine =
  /^(?:#\s?)?\s+(0x[0-9a-fA-F]+)\s+(\S+?)(?:\+0x[0-9a-fA-F]+)?\s+(\S.*):(\d{1,9})\s*$/;

/** Whether a text is such a profile. */
export function recogniseCountText(head: string): boolean {
  return title.test(head);
}

interface Stack {
  readonly count: number;
  readonly addresses: readonly string[];
  readonly frames: StackFrame[];
  firstAddress: string | undefined;
}

/** Reads every stack. */
export function readCountText(input: FormatInput): FileContent {
  const text = input.text();
  const first = title.exec(text);
  if (first === null) throw noProfile();
  const table = new GoroutineTable();
  const take = (stack: Stack | undefined): void => {
    if (stack !== undefined && stack.count > 0)
      addStack(table, stack, first[1] === "goroutineleak");
  };
  let stack: Stack | undefined;
  for (const line of linesOf(text, first[0].length)) {
    const begin = stackLine.exec(line);
    if (begin !== null) {
      take(stack);
      const addresses = (begin[2] ?? "").trim().split(" ");
      stack = { count: Number(begin[1]), addresses, frames: [], firstAddress: undefined };
      continue;
    }
    const frame = frameLine.exec(line);
    if (frame === null || stack === undefined) continue;
    const [, address, name = "", file = "", number] = frame;
    stack.firstAddress ??= address;
    stack.frames.push({ function: name, file, line: Number(number) });
  }
  take(stack);
  if (table.goroutineCount === 0 && Number(first[2]) > 0) throw noProfile();
  const form = first[1] === "goroutineleak" ? "leaks" : "profile";
  const content = table.content(nameRecording(input), form);
  const notes =
    table.goroutineCount === Number(first[2])
      ? []
      : [
          `The profile says that it has ${Number(first[2])} goroutines; ${table.goroutineCount} are in it.`,
        ];
  return { contents: [content], notes };
}

function* linesOf(text: string, from: number): Generator<string> {
  let at = from;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const next = end < 0 ? text.length : end;
    yield text.slice(at, text[next - 1] === "\r" ? next - 1 : next);
    at = next + 1;
  }
}

function addStack(table: GoroutineTable, stack: Stack, isLeaked: boolean): void {
  const functions = stack.frames.map((frame) => frame.function);
  const kept = stack.frames.slice(parkedFrameCount(functions), goroutineLimits.stackDepthMax);
  const group = table.group({
    state: parkStateOf(functions) ?? hiddenStateOf(stack, functions),
    isLeaked,
    stack: kept.map((frame) => table.frames.add(frame)),
    creator: undefined,
  });
  table.add(group, stack.count);
}

/**
 * The runtime's innermost frames are not written out, but their addresses are: a select has two of them below the first
 * frame that is written, an operation of a channel three.
 */
function hiddenStateOf(
  { addresses, firstAddress }: Stack,
  functions: readonly string[],
): string | undefined {
  const [innermost = ""] = functions;
  if (firstAddress === undefined || /^(?:runtime|sync|time|syscall|os)[./]/.test(innermost)) {
    return undefined;
  }
  // A frame is written with the address of the call, the list has that of the return behind it.
  const hidden = addresses.indexOf(`0x${(BigInt(firstAddress) + 1n).toString(16)}`);
  if (hidden === 2) return "select";
  // Up to Go 1.10 there was one more.
  return hidden === 3 || hidden === 4 ? "channel" : undefined;
}

function noProfile(): EvidenceError {
  return new EvidenceError("The profile has no stack.", {
    expected: "goroutine profile: total N, and below it lines of N @ 0x…",
    where: "line 1, column 1",
  });
}
