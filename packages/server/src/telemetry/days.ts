/** The partitions of telemetry: made ahead of time, dropped after retention, and dropped earlier when the store is too large. */

import { PlatformError } from "@faultline/protocol";
import { sql } from "kysely";
import type { Logger } from "pino";

import { type Clock, isAbort } from "#kernel/index.ts";
import type { Store, Writer } from "#storage/index.ts";

import { dayMs, microsPerMs, telemetryLimits, type TelemetrySettings } from "./limits.ts";
import { dayOf } from "./postgres-text.ts";

export interface DaysOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: TelemetrySettings;
  /** Called for each day that was dropped. */
  readonly onDropped: (day: string) => void;
}

export interface StoreSize {
  /** Bytes on disk, as of the last look. */
  readonly bytes: number;
  /** Whether the cap is reached and no older day is left to drop. */
  readonly isFull: boolean;
}

export class Days {
  readonly #options: DaysOptions;
  readonly #present = new Set<string>();
  /** The first day that is taken; it moves ahead of retention when the size cap drops days. */
  #firstDay = "";
  #size: StoreSize = { bytes: 0, isFull: false };

  constructor(options: DaysOptions) {
    this.#options = options;
  }

  get size(): StoreSize {
    return this.#size;
  }

  /** The window of times that are taken now, in microseconds: closed at the start, open at the end. */
  get window(): { fromMicros: number; toMicros: number } {
    const { clock } = this.#options;
    return {
      fromMicros: microsOfDay(later(this.#firstDay, this.#retainedDay())),
      toMicros: (clock.nowMs() + telemetryLimits.aheadMs) * microsPerMs,
    };
  }

  /** Throws `storage_full` when the size cap is reached. */
  requireRoom(): void {
    if (!this.#size.isFull) return;
    const { sizeBytesMax } = this.#options.settings.store;
    throw new PlatformError(
      "storage_full",
      `Telemetry takes ${this.#size.bytes} bytes, its cap is ${sizeBytesMax}, and only today's is left.`,
      { hint: "Raise store.sizeMegabytesMax, or send less." },
    );
  }

  /** Makes the partitions of these days where they are missing. */
  async ensure(days: Iterable<string>, signal: AbortSignal): Promise<void> {
    const missing = [...days].filter((day) => !this.#present.has(day)).sort();
    for (const day of missing) {
      await this.#options.store.system(signal, async (writer) => {
        await sql`select telemetry_add_day(${day}::date)`.execute(writer);
      });
      this.#present.add(day);
    }
  }

  /** One round: days ahead, days past retention, size. */
  async keepUp(signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const ahead = Array.from({ length: telemetryLimits.daysAhead + 1 }, (_, index) =>
      dayOf((nowMs + index * dayMs) * microsPerMs),
    );
    await this.ensure(ahead, signal);
    const firstRetained = this.#retainedDay();
    const days = await this.#readDays(signal);
    for (const { day } of days.filter(({ day }) => day < firstRetained)) {
      await this.#drop(day, "retention", signal);
    }
    await this.#keepBelowCap(
      days.filter(({ day }) => day >= firstRetained),
      signal,
    );
  }

  async #keepBelowCap(
    days: readonly { day: string; bytes: number }[],
    signal: AbortSignal,
  ): Promise<void> {
    const { sizeBytesMax } = this.#options.settings.store;
    const today = dayOf(this.#options.clock.nowMs() * microsPerMs);
    let bytes = days.reduce((sum, day) => sum + day.bytes, await this.#readSummaryBytes(signal));
    for (const { day } of days) {
      if (bytes <= sizeBytesMax || day >= today) break;
      await this.#drop(day, "size", signal);
      this.#firstDay = later(this.#firstDay, nextDay(day));
      const left = await this.#readDays(signal);
      bytes = left.reduce((sum, entry) => sum + entry.bytes, await this.#readSummaryBytes(signal));
    }
    this.#size = { bytes, isFull: bytes > sizeBytesMax };
  }

  async #drop(day: string, reason: "retention" | "size", signal: AbortSignal): Promise<void> {
    const { store, logger, onDropped } = this.#options;
    this.#present.delete(day);
    await store.system(signal, async (writer) => {
      await sql`set local lock_timeout = '10s'`.execute(writer);
      await sql`select telemetry_drop_day(${day}::date)`.execute(writer);
    });
    onDropped(day);
    logger.info({ day, reason }, "telemetry of a day was dropped");
    const beforeNanos = `${microsOfDay(nextDay(day))}000`;
    let purgedCount: number;
    do {
      purgedCount = await store.system(
        signal,
        async (writer) => await purgeSummaries(writer, beforeNanos),
      );
    } while (purgedCount >= telemetryLimits.purgeRowCount);
  }

  async #readDays(signal: AbortSignal): Promise<{ day: string; bytes: number }[]> {
    return await this.#options.store.system(signal, async (writer) => {
      const { rows } = await sql<{ day: string; bytes: string }>`
        select to_char(day, 'YYYY-MM-DD') as day, bytes::text from telemetry_days()`.execute(
        writer,
      );
      return rows.map((row) => ({ day: row.day, bytes: Number(row.bytes) }));
    });
  }

  async #readSummaryBytes(signal: AbortSignal): Promise<number> {
    return await this.#options.store.system(signal, async (writer) => {
      const { rows } = await sql<{ bytes: string }>`
        select telemetry_summary_bytes()::text as bytes`.execute(writer);
      return Number(rows[0]?.bytes ?? 0);
    });
  }

  #retainedDay(): string {
    const { clock, settings } = this.#options;
    return dayOf((clock.nowMs() - settings.store.retentionDays * dayMs) * microsPerMs);
  }
}

export interface UpkeepOptions {
  readonly days: Days;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Runs upkeep every minute, and once more when asked, one round at a time. A failed round is logged and repeated later. */
export class Upkeep implements AsyncDisposable {
  readonly #options: UpkeepOptions;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, signal } = this.#options;
    const ends = AbortSignal.any([signal, this.#closing.signal]);
    clock.every(telemetryLimits.upkeepIntervalMs, ends, () => this.request());
  }

  request(): void {
    this.#running ??= this.#round();
  }

  /** Lets a round that is under way finish, and begins no other. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #round(): Promise<void> {
    const { days, logger, signal } = this.#options;
    try {
      await days.keepUp(signal);
    } catch (error) {
      if (!isAbort(error)) logger.warn({ err: error }, "upkeep of telemetry failed");
    } finally {
      this.#running = undefined;
    }
  }
}

async function purgeSummaries(writer: Writer, beforeNanos: string): Promise<number> {
  const { rows } = await sql<{ purged: number }>`
    select telemetry_purge_summaries(${beforeNanos}::bigint, ${telemetryLimits.purgeRowCount}) as purged`.execute(
    writer,
  );
  return rows[0]?.purged ?? 0;
}

function microsOfDay(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) * microsPerMs;
}

function nextDay(day: string): string {
  return dayOf(microsOfDay(day) + dayMs * microsPerMs);
}

/** The later of two days; days as text sort by time. */
function later(left: string, right: string): string {
  return left > right ? left : right;
}
