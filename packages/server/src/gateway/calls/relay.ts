/** How a reply travels from provider to caller; one relay serves one reply. */

import type { PlatformError } from "@faultline/protocol";

import type { ReplyHead } from "./reply-head.ts";
import type { ReplyReader } from "./reply-reader.ts";
import type { ReplySink } from "./reply-sink.ts";
import type { Surface } from "./surface.ts";

export interface Relay {
  /** Events or parts with content that came so far: what resets the stall deadline. */
  readonly progress: number;
  /** Whether something was said already: content, a tool call, a refusal. */
  readonly deltaSeen: boolean;
  /** Whether the reply is complete although the provider's connection may go on. */
  readonly complete: boolean;
  /** Whether the caller has got a part of this reply: from then on no other attempt may answer. */
  readonly committed: boolean;
  /** Takes the next part. `false` asks to wait for the caller's `drain`. Throws `PlatformError`. */
  write(part: Buffer): boolean;
  /** The provider's body is whole. Throws when the reply in it is not. */
  end(): void;
  /**
   * The provider failed after the commit: tells the caller in its stream. `true` asks to cut the caller's connection
   * once it had time to read what was written last.
   */
  breakOff(error: PlatformError): boolean;
}

export interface RelayTarget {
  readonly sink: ReplySink;
  readonly status: number;
  readonly head: ReplyHead;
  readonly reader: ReplyReader;
  /** The caller's. */
  readonly surface: Surface;
}
