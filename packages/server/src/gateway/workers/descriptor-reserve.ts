/**
 * Keeps the last descriptors of a process for connections that are only told that there are no more: a process without
 * any cannot even refuse, and its callers would see a reset.
 */

import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";

import { PlatformError } from "@faultline/protocol";

/** Descriptors that are kept, or this share of them all when that is less. */
const reserveCountMax = 64;
const reserveShare = 8;
/** How long a connection may stay in the reserve. */
const stayMsMax = 2_000;

export class DescriptorReserve {
  readonly #firstReserved: number;
  readonly #countMax: number;
  /** Connections in the reserve, oldest first. */
  readonly #staying = new Set<Duplex>();

  /** `limit` is how many descriptors the process may have. */
  constructor(limit: number) {
    const count = Math.min(reserveCountMax, Math.floor(limit / reserveShare));
    this.#firstReserved = limit - count;
    // A quarter stays free, so that the next connection can be taken in.
    this.#countMax = Math.ceil(count * 0.75);
  }

  /** Whether a connection took one of the last descriptors: a new one is the lowest that is free (POSIX, open). */
  holds(connection: Duplex): boolean {
    const descriptor = descriptorOf(connection);
    return descriptor !== undefined && descriptor >= this.#firstReserved;
  }

  /** Notes a new connection. One in the reserve is soon closed, the oldest first when many come. */
  admit(connection: Duplex): void {
    if (!this.holds(connection)) return;
    this.#staying.add(connection);
    connection.once("close", () => this.#staying.delete(connection));
    if ("setTimeout" in connection && typeof connection.setTimeout === "function") {
      connection.setTimeout(stayMsMax, () => connection.destroy());
    }
    const [oldest] = this.#staying;
    if (this.#staying.size > this.#countMax) oldest?.destroy();
  }
}

/** How many descriptors this process may have; without a bound where the system does not say it. */
export function readDescriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? Number.MAX_SAFE_INTEGER : Number(soft);
  } catch {
    // Only Linux has this file.
    return Number.MAX_SAFE_INTEGER;
  }
}

/** What a caller is told. */
export function descriptorsExhausted(cause?: Error): PlatformError {
  return new PlatformError(
    "descriptors_exhausted",
    "This gateway process has no file descriptors left for another connection.",
    {
      hint: "Try again; the operator raises the limit of open files of the process (ulimit -n).",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** Whether a connection failed because the process, or the machine, has no descriptors left. */
export function isDescriptorFault(error: Error): boolean {
  return "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}

function descriptorOf(connection: Duplex): number | undefined {
  // Node keeps the descriptor at the handle of a socket and has no other name for it.
  const { _handle: handle } = connection as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}
