/** Authentication of a request as it came in: throttles addresses whose keys fail, before a key is looked at. */

import type { IncomingMessage } from "node:http";

import { PlatformError } from "@faultline/protocol";

import { clientAddressOf } from "../admission/client-address.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { authenticate } from "./authenticate.ts";
import { refusalError } from "./call-limits.ts";

export interface Caller {
  readonly key: SnapshotKey;
  readonly clientAddress: string;
}

/** Finds who asks. Throws `key_*`, `permission_denied`, or `limit_exceeded` when too many keys of the address failed. */
export function authenticateCaller(state: GatewayState, request: IncomingMessage): Caller {
  const { knowledge, clock, limits, peers } = state;
  const { proxyCount } = knowledge.settings;
  const clientAddress = clientAddressOf(request, proxyCount, peers.addressOf(request));
  const refusal = limits.failedKeys.refusalOf(clientAddress, clock.monotonicMs());
  if (refusal !== undefined) {
    state.metrics.countRefusal(refusal);
    throw refusalError(refusal);
  }
  try {
    return { key: authenticate(knowledge.keys, request.headers, clock), clientAddress };
  } catch (error) {
    if (isGuess(error)) {
      limits.failedKeys.note(clientAddress, clock.monotonicMs());
      limits.flush();
    }
    throw error;
  }
}

/** A key that was never one of ours. One that has ended belongs to somebody who must learn of that, and guesses nothing. */
function isGuess(error: unknown): boolean {
  return (
    error instanceof PlatformError &&
    (error.code === "key_unknown" || error.code === "key_malformed")
  );
}
