/**
 * Whether the beginning of a stream is passed on yet. Events that say nothing (a role, `response.created`, a ping) are
 * held back for a while: as long as the caller saw nothing, an error in the stream can still lead to another attempt.
 */

import { dispatchLimits } from "./limits.ts";

/** A stream of which nothing was passed on yet, after one more part of it has come. */
export interface EarlyStream {
  /** It has content, a tool call, a refusal. */
  readonly deltaSeen: boolean;
  /** Its end was announced. */
  readonly complete: boolean;
  /** The provider reported an error in it. */
  readonly errorSeen: boolean;
  /** What is held back. */
  readonly frameCount: number;
  readonly byteCount: number;
}

export type EarlyStep =
  /** Keep what came; the caller sees nothing. */
  | "hold"
  /** Pass on what was held, and all that follows: no other attempt may answer any more. */
  | "commit"
  /** The stream failed before it said anything: what was held can be thrown away. */
  | "fail";

/** Decides for a part of a stream that is not committed. */
export function earlyStep(stream: EarlyStream): EarlyStep {
  // Who has said something is past the point of return, whatever came behind it in the same part.
  if (stream.deltaSeen) return "commit";
  if (stream.errorSeen) return "fail";
  const { earlyFrameCountMax, earlyFrameBytesMax } = dispatchLimits;
  const isFull = stream.frameCount > earlyFrameCountMax || stream.byteCount > earlyFrameBytesMax;
  return stream.complete || isFull ? "commit" : "hold";
}
