/** What reservations go by. */

import type { DevicePrices } from "./device-prices.ts";
import type { ReservationKeeper } from "./reservation-record.ts";

/** Times of work, and what stands behind reservations. */
export interface ReservationOptions {
  /** Work that has not sent its first heartbeat by then never starts: its reservation expires. */
  readonly startMsMax: number;
  /** Use is counted by intervals of so much. */
  readonly intervalMs: number;
  /** Work that is silent for longer is lost: it pays up to what was heard last. */
  readonly silenceMsMax: number;
  /** Without one nothing outlives the process. */
  readonly keeper?: ReservationKeeper;
  /** Without one a reservation costs what its request says, whenever it is admitted. */
  readonly prices?: DevicePrices;
  /** Nobody could be heard before; work is not silent for what came earlier. */
  readonly listensSinceMs?: number;
}
