/** The end of a caller's connection: who was told of a failure in mid-stream is cut off, once it could read that. */

import type { ServerResponse } from "node:http";

import { gatewayLimits } from "../limits.ts";

export class CallerEnd {
  readonly #response: ServerResponse;
  /** Whether the reply must not look whole. */
  cutsLater = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** After the end of the call, the caller may still be taking the last bytes. */
  onTick(sinceEndMs: number): void {
    if (sinceEndMs > gatewayLimits.callerDrainMs) {
      this.#response.destroy();
    } else if (this.cutsLater && sinceEndMs > gatewayLimits.cutDelayMs) {
      // Without the last chunk of the transfer encoding, so that nobody takes this for a whole reply.
      this.cutsLater = false;
      if (this.#response.socket === null) this.#response.destroy();
      else this.#response.socket.destroySoon();
    }
  }
}
