/**
 * Whether the first frames of a stream are passed on yet. Empty ones (a role, `response.created`, a ping) are held back
 * for a while: as long as the caller saw nothing, an error in the stream can still lead to another attempt. From the
 * first frame that says something on, everything is passed on at once.
 */

import { dispatchLimits } from "./limits.ts";

/** What a frame of a stream is. */
export type EarlyFrame =
  /** It says nothing to the caller yet. */
  | "empty"
  /** It has content, a tool call, a refusal. */
  | "delta"
  /** The provider reports an error in it. */
  | "error"
  /** It announces the end of the stream. */
  | "done";

export type EarlyStep =
  /** Keep the frame; the caller sees nothing. */
  | "hold"
  /** Pass on what was held, this frame too; the stream is committed. */
  | "commit"
  /** Pass on the frame. */
  | "pass"
  /** The stream failed before it was committed: what was held can be thrown away. */
  | "fail-early"
  /** The stream failed after it was committed: the caller must see it. */
  | "fail-late";

export interface EarlyBounds {
  readonly frameCountMax: number;
  readonly byteCountMax: number;
}

/** Enough for the start-up of any known provider. */
const usualBounds: EarlyBounds = {
  frameCountMax: dispatchLimits.earlyFrameCountMax,
  byteCountMax: dispatchLimits.earlyFrameBytesMax,
};

export class EarlyFrames {
  readonly #bounds: EarlyBounds;
  #committed = false;
  #frameCount = 0;
  #byteCount = 0;

  /** Bounds of 0 hold nothing back. */
  constructor(bounds: EarlyBounds = usualBounds) {
    this.#bounds = bounds;
  }

  /** Whether the caller has seen something, so that no other attempt may follow. */
  get committed(): boolean {
    return this.#committed;
  }

  get heldFrameCount(): number {
    return this.#frameCount;
  }

  /** Takes the next frame of so many bytes. */
  onFrame(frame: EarlyFrame, byteCount: number): EarlyStep {
    if (frame === "error") return this.#committed ? "fail-late" : "fail-early";
    if (this.#committed) return "pass";
    const holds =
      frame === "empty" &&
      this.#frameCount < this.#bounds.frameCountMax &&
      this.#byteCount + byteCount <= this.#bounds.byteCountMax;
    if (!holds) return this.#commit();
    this.#frameCount += 1;
    this.#byteCount += byteCount;
    return "hold";
  }

  /** The connection ended or broke, or a deadline passed, before the end was announced. */
  onBreak(): "fail-early" | "fail-late" {
    return this.#committed ? "fail-late" : "fail-early";
  }

  #commit(): "commit" {
    this.#committed = true;
    this.#frameCount = 0;
    this.#byteCount = 0;
    return "commit";
  }
}
