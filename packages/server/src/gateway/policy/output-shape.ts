/** What a wire format must tell so that an output policy can be held against its replies. */

import type { EditableObject } from "../wire/json-values.ts";
import type { OutputCheck } from "./output-check.ts";

/** One event of a stream, as it goes on. */
export interface OutputEvent {
  /** The name of the event, in formats that have one. */
  readonly name: string | undefined;
  readonly data: EditableObject;
}

/** The replies of one wire format. One shape reads one reply. */
export interface OutputShape {
  /**
   * Holds an event against the policy and changes it in place. Gives the events that go on, in order: what was held back
   * goes before the event that ends its text. Without a change it gives `undefined`.
   */
  event(event: OutputEvent, check: OutputCheck): readonly OutputEvent[] | undefined;
  /** What was held back, where the stream ends without the end of its texts. */
  rest(check: OutputCheck): readonly OutputEvent[];
  /** The events that end a stream that was refused, its end included. */
  refusal(): readonly (OutputEvent | "[DONE]")[];
  /** Holds a plain reply against the policy and changes it in place. */
  reply(reply: EditableObject, check: OutputCheck): void;
  /** Makes a plain reply one that was refused. */
  refuseReply(reply: EditableObject): void;
}
