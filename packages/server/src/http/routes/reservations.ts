/** Reservations of compute. */

import type { ApiHandlers, HandlerParts } from "../services.ts";

type Names =
  | "reserveCompute"
  | "listReservations"
  | "readReservation"
  | "heartbeatReservation"
  | "completeReservation"
  | "withdrawReservation";

/** Handlers of `/api/reservations`. */
export function reservationHandlers({
  services: { compute },
}: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async reserveCompute({ body }, { scope }) {
      return compute.reserve(scope, body);
    },
    async listReservations(_input, { scope }) {
      return { reservations: await compute.list(scope) };
    },
    async readReservation({ params }, { scope }) {
      return compute.read(scope, params.id);
    },
    async heartbeatReservation({ params }, { scope }) {
      return compute.heartbeat(scope, params.id);
    },
    async completeReservation({ params }, { scope }) {
      return compute.complete(scope, params.id);
    },
    async withdrawReservation({ params }, { scope }) {
      return compute.withdraw(scope, params.id);
    },
  };
}
