/** The store of spans, log records and data points: OTLP in, queries out. */

import type { LogRecord, MetricPoint, OtlpEncoding, Span } from "@faultline/contracts";
import {
  type Overview,
  PlatformError,
  type ServiceList,
  type TenantId,
  type TraceList,
  type TraceQuery,
} from "@faultline/protocol";
import type { Logger } from "pino";

import type { Clock } from "#kernel/index.ts";
import type { IngestBatch, Store, TenantScope } from "#storage/index.ts";

import { type CommitCounts, CommitQueue } from "./commit-queue.ts";
import { Days, type StoreSize, Upkeep } from "./days.ts";
import {
  type FailedOperationQuery,
  type FailedOperations,
  failedOperations,
  traceOfOperation,
} from "./failed-operations.ts";
import { telemetryLimits, type TelemetrySettings } from "./limits.ts";
import { listServices } from "./list-services.ts";
import { listTraces } from "./list-traces.ts";
import { originColumns, type OriginRows, StoredOrigins } from "./origins.ts";
import { readOverview } from "./overview.ts";
import { type PartialSuccess, partialSuccess } from "./partial-success.ts";
import { decodeRequest, type OtlpKind, prepareRows, type RecordBatch } from "./prepare.ts";
import { readLogs, readMetricPoints, type RecordQuery } from "./read-records.ts";
import { readTrace, type StoredTrace } from "./read-trace.ts";
import { type RecordRows, recordTables } from "./record-rows.ts";
import { type SubjectQuery, type SubjectTraces, tracesOfSubject } from "./traces-of-subject.ts";

export interface TelemetryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends background work and what waits for the database. */
  readonly signal: AbortSignal;
  readonly limits: TelemetrySettings;
}

export interface OtlpRequest {
  readonly kind: OtlpKind;
  readonly tenantId: TenantId;
  /** Decompressed. */
  readonly bytes: Uint8Array;
  readonly encoding: OtlpEncoding;
  readonly signal: AbortSignal;
}

export class Telemetry implements AsyncDisposable {
  readonly #store: Store;
  readonly #signal: AbortSignal;
  readonly #settings: TelemetrySettings;
  readonly #days: Days;
  readonly #upkeep: Upkeep;
  readonly #queue: CommitQueue;
  readonly #origins = new StoredOrigins();
  #charactersSinceUpkeep = 0;

  private constructor(options: TelemetryOptions) {
    const { store, clock, logger, signal, limits: settings } = options;
    this.#store = store;
    this.#signal = signal;
    this.#settings = settings;
    this.#days = new Days({
      store,
      clock,
      logger,
      settings,
      onDropped: (day) => this.#origins.forgetDay(day),
    });
    this.#upkeep = new Upkeep({ days: this.#days, clock, logger, signal });
    this.#queue = new CommitQueue(async (requests) => await this.#commit(requests));
  }

  /** Makes the partitions of today and the days ahead before it resolves. */
  static async open(options: TelemetryOptions): Promise<Telemetry> {
    const telemetry = new Telemetry(options);
    await telemetry.#days.keepUp(options.signal);
    telemetry.#upkeep.start();
    return telemetry;
  }

  /** Commits what waits, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    await this.#upkeep[Symbol.asyncDispose]();
  }

  /** What was written and what waits, since the start. */
  get counts(): CommitCounts & StoreSize {
    return { ...this.#queue.counts, ...this.#days.size };
  }

  get sizeBytesMax(): number {
    return this.#settings.store.sizeBytesMax;
  }

  /** Stores spans; resolves once they are durable. Spans outside the window of time are counted as rejected. */
  async ingestSpans(
    tenantId: TenantId,
    spans: readonly Span[],
    signal: AbortSignal,
  ): Promise<PartialSuccess> {
    return await this.#ingest({ kind: "traces", records: spans, tenantId, signal });
  }

  /**
   * Reads an OTLP export request and stores what it carries; resolves once it is durable. Throws `request_malformed`
   * when the body cannot be read, `request_too_large`, `limit_exceeded` when too much waits, `storage_full`.
   */
  async ingestOtlp(request: OtlpRequest): Promise<PartialSuccess> {
    const { tenantId, bytes, signal } = request;
    const { unpackedBytesMax } = this.#settings.otlp;
    if (bytes.byteLength > unpackedBytesMax) {
      throw new PlatformError(
        "request_too_large",
        `The body has ${bytes.byteLength} bytes, the limit is ${unpackedBytesMax}.`,
        { where: "body", hint: "Send smaller batches." },
      );
    }
    this.#days.requireRoom();
    const read = decodeRequest(request.kind, bytes, request.encoding);
    this.#requireFewEnough(read);
    return await this.#ingest({ ...read, tenantId, signal });
  }

  async readTrace(scope: TenantScope, traceId: string): Promise<StoredTrace | undefined> {
    return await readTrace(this.#store, scope, traceId);
  }

  async listTraces(scope: TenantScope, query: TraceQuery): Promise<TraceList> {
    return await listTraces(this.#store, scope, query);
  }

  async listServices(scope: TenantScope): Promise<ServiceList> {
    return await listServices(this.#store, scope);
  }

  async tracesOfSubject(scope: TenantScope, query: SubjectQuery): Promise<SubjectTraces> {
    return await tracesOfSubject(this.#store, scope, query);
  }

  /** Traffic of the gateway, and the calls between services, in a window. */
  async overview(
    scope: TenantScope,
    window: { readonly fromMs: number; readonly toMs: number },
  ): Promise<Pick<Overview, "traffic" | "edges" | "spanCount">> {
    return await readOverview(this.#store, scope, window);
  }

  /** Operations of the gateway that failed in certain ways. */
  async failedOperations(
    scope: TenantScope,
    query: FailedOperationQuery,
  ): Promise<FailedOperations> {
    return await failedOperations(this.#store, scope, query);
  }

  /** Where an operation of the gateway was traced. */
  async traceOfOperation(
    scope: TenantScope,
    operationId: string,
  ): Promise<{ readonly traceId: string; readonly spanId: string } | undefined> {
    return await traceOfOperation(this.#store, scope, operationId);
  }

  /** Log records, newest first. */
  async readLogs(scope: TenantScope, query: RecordQuery): Promise<LogRecord[]> {
    return await readLogs(this.#store, scope, query);
  }

  /** Data points, newest first. */
  async readMetricPoints(scope: TenantScope, query: RecordQuery): Promise<MetricPoint[]> {
    return await readMetricPoints(this.#store, scope, query);
  }

  /** One round of upkeep now: partitions ahead, retention, size. */
  async keepUp(signal: AbortSignal): Promise<void> {
    await this.#days.keepUp(signal);
  }

  async #ingest(
    batch: RecordBatch & { readonly tenantId: TenantId; readonly signal: AbortSignal },
  ): Promise<PartialSuccess> {
    this.#days.requireRoom();
    const { rows, refused } = prepareRows(batch.tenantId, batch, this.#days.window);
    await this.#queue.add(rows, batch.signal);
    return partialSuccess(batch, refused);
  }

  #requireFewEnough({ kind, records }: RecordBatch): void {
    const { recordCountMax } = this.#settings.otlp;
    if (records.length <= recordCountMax) return;
    throw new PlatformError(
      "request_too_large",
      `The request has ${records.length} records, the limit is ${recordCountMax}.`,
      { where: kind, hint: "Send smaller batches." },
    );
  }

  /** One transaction for all requests: first the origins that their rows name, then the rows. */
  async #commit(requests: readonly RecordRows[]): Promise<number> {
    await this.#days.ensure(
      requests.flatMap((request) => [...request.days]),
      this.#signal,
    );
    const origins: OriginRows = new Map();
    for (const request of requests) {
      for (const [key, row] of request.origins) if (!this.#origins.has(key)) origins.set(key, row);
    }
    const rows = Array.from(
      Map.groupBy(requests, (request) => request.table),
      ([table, ofTable]): IngestBatch => ({
        table,
        columns: recordTables[table],
        rows: ofTable.flatMap((request) => request.rows),
        onConflict: "skip",
      }),
    );
    const insertedCount = await this.#store.ingest(this.#signal, [
      {
        table: "telemetry_origin",
        columns: originColumns,
        rows: [...origins.values()],
        onConflict: "skip",
      },
      ...rows,
    ]);
    this.#origins.add(origins.keys());
    this.#noteWritten(requests);
    return Math.max(0, insertedCount - origins.size);
  }

  #noteWritten(requests: readonly RecordRows[]): void {
    for (const { characterCount } of requests) this.#charactersSinceUpkeep += characterCount;
    if (this.#charactersSinceUpkeep < telemetryLimits.upkeepCharacters) return;
    this.#charactersSinceUpkeep = 0;
    this.#upkeep.request();
  }
}
