/** Brings a call with a key to where it is made, or to the reply that there is. */

import { toPlatformError } from "../calls/dialect.ts";
import type { PlatformError } from "@faultline/protocol";

import type { ReplyRecorder } from "../streams/reply-recorder.ts";
import type { KeyedCall, KeyedCalls } from "./keyed-calls.ts";

/** Exactly one of the three is called. */
export interface KeyedTurn {
  readonly execute: (recorder: ReplyRecorder) => void;
  /** The reply of another execution is on its way to the caller. */
  readonly answered: () => void;
  readonly refused: (error: PlatformError) => void;
}

/** Asks the owner of the key, which is this process, what the call gets. */
export function enterKeyed(keyed: KeyedCalls, call: KeyedCall, turn: KeyedTurn): void {
  keyed.enter(call).then(
    (entry) => {
      if (entry.kind === "execute") execute(entry.recorder, turn);
      else turn.answered();
    },
    (error: unknown) => turn.refused(toPlatformError(error)),
  );
}

/** Whatever goes wrong before the call is under way, its key must not wait for ever. */
function execute(recorder: ReplyRecorder, turn: KeyedTurn): void {
  try {
    turn.execute(recorder);
  } catch (error) {
    recorder.settle("released");
    turn.refused(toPlatformError(error));
  }
}
