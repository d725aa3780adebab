/** The routes of compute. */

import {
  Reservation,
  ReservationHeartbeat,
  ReservationList,
  ReservationParams,
  ReserveComputeRequest,
} from "./api/compute.ts";
import { type ApiRoute, json } from "./route.ts";

/** Part of the table of all routes. */
export const computeRoutes = {
  reserveCompute: {
    method: "POST",
    path: "/api/reservations",
    access: "compute:write",
    summary: "Asks for devices for a time; it waits until credit, quota and capacity allow it.",
    body: ReserveComputeRequest,
    reply: json(201, Reservation),
  },
  listReservations: {
    method: "GET",
    path: "/api/reservations",
    access: "compute:read",
    summary: "Lists open reservations, newest first, and after them those that have ended.",
    reply: json(200, ReservationList),
  },
  readReservation: {
    method: "GET",
    path: "/api/reservations/:id",
    access: "compute:read",
    summary:
      "A reservation: where it stands and runs, or why it waits and what would let it start.",
    params: ReservationParams,
    reply: json(200, Reservation),
  },
  heartbeatReservation: {
    method: "POST",
    path: "/api/reservations/:id/heartbeat",
    access: "compute:write",
    summary: "Tells that the work goes on, and asks whether it may; the first one starts it.",
    params: ReservationParams,
    reply: json(200, ReservationHeartbeat),
  },
  completeReservation: {
    method: "POST",
    path: "/api/reservations/:id/complete",
    access: "compute:write",
    summary: "Ends the work: charges what was used and gives back what is left.",
    params: ReservationParams,
    reply: json(200, Reservation),
  },
  withdrawReservation: {
    method: "DELETE",
    path: "/api/reservations/:id",
    access: "compute:write",
    summary: "Ends a reservation whatever its stage; what was used is charged.",
    params: ReservationParams,
    reply: json(200, Reservation),
  },
} as const satisfies Record<string, ApiRoute>;
