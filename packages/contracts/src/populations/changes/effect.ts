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
  /** What a message must name for the change to be what it complains of. */
  readonly named?: NamedThing;
}

/** A library of another version complains of its interface; a flag stands in the message of the path that it opened. */
export interface NamedThing {
  readonly of: "library" | "flag";
  readonly name: string;
  /** How far the change explains what such a message tells of. */
  readonly strength: number;
}
