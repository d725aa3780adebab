/** Calls that only the operating system ended, because their client has no limit of its own. */

import type { Span } from "../model/span.ts";
import { mark } from "../traces/marks.ts";
import { type Trace, tracesOf } from "../traces/trace.ts";
import type { Snapshot } from "../model/snapshot.ts";

/** How Linux gives up: after six repeated requests to connect, or fifteen times that nobody acknowledges what was sent. */
export type GivingUp = "connect" | "send";

export interface EndedCall {
  readonly trace: Trace;
  readonly index: number;
  readonly service: string;
  readonly peer: string;
  readonly how: GivingUp;
  readonly words: string;
}

/** The sum of 1, 2, 4, … 64 seconds, and some for what comes around it. */
const connectSeconds = { least: 126, most: 136 };
/** The shortest that fifteen repetitions take, with the shortest first pause, and some for longer ones. */
const sendSeconds = { least: 900, most: 1_020 };
const timedOut = /\bETIMEDOUT\b|connection timed out|Errno 110\b|\(110\)/i;
/** A limit of the client itself says so in its own words. */
const ownLimit =
  /context deadline exceeded|Client\.Timeout|read timed out|ConnectTimeout|SocketTimeout|i\/o timeout|AbortError|TimeoutError/i;
const failing = mark.failedStatus | mark.failure | mark.event;
const nanosPerSecond = 1e9;

/** The calls of a snapshot that ended so. */
export function endedCallsOf(snapshot: Snapshot): EndedCall[] {
  const found: EndedCall[] = [];
  for (const trace of tracesOf(snapshot)) {
    if (!trace.hasMarks(failing)) continue;
    for (let index = 0; index < trace.spans.length; index += 1) {
      if ((trace.marksOf(index) & failing) === 0) continue;
      const span = trace.span(index);
      if (span.durationNanos < connectSeconds.least * nanosPerSecond) continue;
      const how = howOf(span.durationNanos / nanosPerSecond);
      const call = how === undefined ? undefined : trace.callOf(index);
      const words = how === undefined ? undefined : wordsOf(span);
      if (how === undefined || call === undefined || words === undefined) continue;
      const peer = call.peer === "" ? call.shape : call.peer;
      found.push({ trace, index, service: span.service, peer, how, words });
    }
  }
  return found;
}

function howOf(seconds: number): GivingUp | undefined {
  if (seconds >= connectSeconds.least && seconds <= connectSeconds.most) return "connect";
  return seconds >= sendSeconds.least && seconds <= sendSeconds.most ? "send" : undefined;
}

const textLengthMax = 1_024;

/** What the call failed with, when it is the words of the operating system. */
function wordsOf({ status, attributes, events }: Span): string | undefined {
  const texts = [
    status.message,
    attributes["exception.message"],
    attributes["error.message"],
    attributes["error.type"],
    ...events.flatMap((event) => [
      event.attributes["exception.message"],
      event.attributes["exception.type"],
      event.attributes["message"],
    ]),
  ].flatMap((text) => (typeof text === "string" ? [text.slice(0, textLengthMax)] : []));
  if (texts.some((text) => ownLimit.test(text))) return undefined;
  return texts.find((text) => timedOut.test(text));
}
