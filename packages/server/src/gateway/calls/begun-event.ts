/** An event of a stream that was begun in the parts that came so far, and waits for its end: bounded, for any provider could go on for ever. */

import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";

export class BegunEvent {
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** What was held; it stays valid until `forget`. */
  get parts(): readonly Buffer[] {
    return this.#parts;
  }

  /** Holds what came of it last. Throws `provider_response_invalid` beyond the bound. */
  hold(rest: Buffer): void {
    this.#parts.push(rest);
    this.#bytes += rest.length;
    if (this.#bytes <= gatewayLimits.frameBytesMax) return;
    throw new PlatformError(
      "provider_response_invalid",
      `The provider sent an event of more than ${gatewayLimits.frameBytesMax} bytes.`,
    );
  }

  forget(): void {
    this.#parts.length = 0;
    this.#bytes = 0;
  }
}
