/**
 * How the simulated provider behaves for one request: the configuration's values, changed by the directives of the
 * header `x-faultline-simulate`, such as `first-token=300ms, tokens=40, cut-after=12`.
 *
 * | directive | meaning |
 * |---|---|
 * | `seed=TEXT` | another text for the same request |
 * | `latency=DURATION` | wait before the head of the reply |
 * | `first-token=DURATION` | wait before the first token |
 * | `pace=DURATION` | wait between two tokens |
 * | `tokens=COUNT` | length of the answer |
 * | `reasoning=COUNT` | length of the reasoning before it; 0 for none |
 * | `calls=COUNT` | how often the tool is called, in parallel |
 * | `error=STATUS` | answer with this status (400 to 599) |
 * | `block=DURATION` | keep the whole gateway process busy for so long before the head; at most 10 s |
 * | `reset` | break the connection before the head |
 * | `cut-after=COUNT` | break the connection after so many events; in a plain reply after so many bytes |
 * | `stall-after=COUNT` | send so many events, then nothing more |
 * | `error-after=COUNT` | send so many events, then an error event |
 * | `garbage-after=COUNT` | send so many events, then one that is not JSON |
 * | `no-done` | end the stream without `[DONE]`, or what stands for it |
 */

import type { SimulationConfig } from "#config/index.ts";
import { PlatformError } from "@faultline/protocol";

export interface Behaviour {
  readonly seed: string;
  readonly latencyMs: number;
  readonly firstTokenMs: number;
  readonly paceMs: number;
  /** Absent: drawn from the seed. */
  readonly tokenCount: number | undefined;
  /** Absent: as the request asks. */
  readonly reasoningCount: number | undefined;
  readonly callCount: number;
  readonly errorStatus: number | undefined;
  /** How long the event loop of the process stands still before the head. */
  readonly blockMs: number;
  readonly resets: boolean;
  readonly cutAfter: number | undefined;
  readonly stallAfter: number | undefined;
  readonly errorAfter: number | undefined;
  readonly garbageAfter: number | undefined;
  readonly endsWithDone: boolean;
}

export const simulateHeader = "x-faultline-simulate";
const headerLengthMax = 1_024;
const durationMsMax = 3_600_000;
const blockMsMax = 10_000;
const tokenCountMax = 100_000;
const callCountMax = 64;
const countMax = 1_000_000;
const stallAfterDefault = 3;
const msPerSecond = 1_000;

type Draft = { -readonly [Name in keyof Behaviour]: Behaviour[Name] };

/** `draw` gives a number in [0, 1); it decides the failures that the configuration asks for by ratio. */
export function readBehaviour(
  simulation: SimulationConfig,
  header: string | undefined,
  draw: () => number,
): Behaviour {
  const behaviour: Draft = {
    seed: simulation.seed,
    latencyMs: 0,
    firstTokenMs: simulation.firstTokenMs,
    paceMs: msPerSecond / simulation.tokensPerSecond,
    tokenCount: undefined,
    reasoningCount: undefined,
    callCount: 1,
    errorStatus: draw() < simulation.errorRatio ? 500 : undefined,
    blockMs: 0,
    resets: false,
    cutAfter: draw() < simulation.cutRatio ? stallAfterDefault : undefined,
    stallAfter: draw() < simulation.stallRatio ? stallAfterDefault : undefined,
    errorAfter: undefined,
    garbageAfter: undefined,
    endsWithDone: true,
  };
  if (header === undefined || header.trim() === "") return behaviour;
  if (header.length > headerLengthMax) throw refuse(`has more than ${headerLengthMax} characters`);
  for (const directive of header.split(",")) applyDirective(behaviour, directive.trim());
  return behaviour;
}

function applyDirective(behaviour: Draft, directive: string): void {
  const [name = "", value = ""] = directive.split("=", 2).map((part) => part.trim());
  switch (name) {
    case "seed":
      behaviour.seed = value;
      return;
    case "latency":
      behaviour.latencyMs = readDuration(directive, value);
      return;
    case "first-token":
      behaviour.firstTokenMs = readDuration(directive, value);
      return;
    case "pace":
      behaviour.paceMs = readDuration(directive, value);
      return;
    case "tokens":
      behaviour.tokenCount = readCount(directive, value, [1, tokenCountMax]);
      return;
    case "reasoning":
      behaviour.reasoningCount = readCount(directive, value, [0, tokenCountMax]);
      return;
    case "calls":
      behaviour.callCount = readCount(directive, value, [1, callCountMax]);
      return;
    case "error":
      behaviour.errorStatus = readCount(directive, value, [400, 599]);
      return;
    case "block":
      behaviour.blockMs = Math.min(readDuration(directive, value), blockMsMax);
      return;
    case "reset":
      behaviour.resets = true;
      return;
    case "cut-after":
      behaviour.cutAfter = readCount(directive, value, [0, countMax]);
      return;
    case "stall-after":
      behaviour.stallAfter = readCount(directive, value, [0, countMax]);
      return;
    case "error-after":
      behaviour.errorAfter = readCount(directive, value, [0, countMax]);
      return;
    case "garbage-after":
      behaviour.garbageAfter = readCount(directive, value, [0, countMax]);
      return;
    case "no-done":
      behaviour.endsWithDone = false;
      return;
    default:
      throw refuse(`has the unknown directive "${directive}"`);
  }
}

function readDuration(directive: string, value: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s)?$/.exec(value);
  const ms = Number(match?.[1] ?? Number.NaN) * (match?.[2] === "s" ? msPerSecond : 1);
  if (!(ms <= durationMsMax)) {
    throw refuse(
      `has "${directive}", where a duration such as 200ms or 1.5s, at most an hour, was expected`,
    );
  }
  return ms;
}

function readCount(
  directive: string,
  value: string,
  [min, max]: readonly [number, number],
): number {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(count >= min && count <= max)) {
    throw refuse(`has "${directive}", where a whole number from ${min} to ${max} was expected`);
  }
  return count;
}

function refuse(what: string): PlatformError {
  return new PlatformError("request_invalid", `The header ${simulateHeader} ${what}.`, {
    hint: "For example: first-token=300ms, tokens=40, cut-after=12.",
  });
}
