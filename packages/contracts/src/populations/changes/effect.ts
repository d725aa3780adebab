/** What a change does to the behaviour of a program, with the line that shows it. */

import type { Explains } from "./mechanism.ts";

export interface Effect {
  /** For example `takes out a check of resp.ThreeDS`. */
  readonly words: string;
  readonly explains: Explains;
  readonly path: string;
  readonly quote: string;
  /** A number that was set to another value, so that metrics can confirm it. */
  readonly numbers?: readonly [before: number, after: number];
}
