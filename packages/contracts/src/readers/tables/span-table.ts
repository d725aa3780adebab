/** Spans as rows of a table, as benchmarks and trace stores export them. */

import type { Attributes } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { serviceOfPod } from "../../text/service-of-pod.ts";
import { microsPerUnit, timeOfText } from "../time-text.ts";
import { SpanCollector } from "../tracing/span-collector.ts";
import { columnOf, plainName } from "./column-names.ts";
import type { RowSink } from "./table-stream.ts";

/** Which column holds what. */
export interface SpanColumns {
  readonly header: readonly string[];
  readonly trace: number;
  readonly span: number;
  readonly parent: number | undefined;
  readonly service: number | undefined;
  readonly name: number | undefined;
  readonly start: number;
  readonly end: number | undefined;
  readonly length: number | undefined;
  readonly status: number | undefined;
  readonly kind: number | undefined;
}

const serviceNames =
  "servicename service resourceservicename podname cmdbid appname application app component";

/** The columns of a header that has all that a span needs: ids, a start, and a length or an end. */
export function spanColumnsOf(header: readonly string[]): SpanColumns | undefined {
  const column = (names: string): number | undefined => columnOf(header, names.split(" "));
  const trace = column("traceid");
  const span = column("spanid id");
  const start = column(
    "starttimeunixnano starttimeus starttimemicros starttime startedat start starttimemillis starttimems timestamp",
  );
  const end = column("endtimeunixnano endtimeus endtime endedat end endtimemillis");
  const length = column(
    "duration durationus durationmicros durationms durationmillis durationns durationnano elapsedtime latency elapsed",
  );
  if (trace === undefined || span === undefined || start === undefined) return undefined;
  if (end === undefined && length === undefined) return undefined;
  return {
    header,
    trace,
    span,
    start,
    end,
    length,
    // Beside a column `id` it is the parent's; beside any other it is a process.
    parent:
      column("parentspanid parentid parent") ?? (column("id") === span ? column("pid") : undefined),
    service: column(serviceNames),
    name: column("operationname spanname name methodname operation method url resource calltype"),
    status: column("statuscode status error success"),
    kind: column("spankind kind type"),
  };
}

/** Names of lengths that say their unit, with the microseconds of one of it. */
const lengthUnits: ReadonlyMap<string, number> = new Map([
  ["durationus", 1],
  ["durationmicros", 1],
  ["durationms", 1e3],
  ["durationmillis", 1e3],
  ["durationns", 1e-3],
  ["durationnano", 1e-3],
  ["elapsedtime", 1e3],
]);

/** Rows on their way into spans. */
export class SpanRows implements RowSink {
  readonly #columns: SpanColumns;
  readonly #collector = new SpanCollector();
  readonly #extra: readonly number[];
  readonly #lengthMicros: number | undefined;
  #skippedCount = 0;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
    this.#lengthMicros =
      columns.length === undefined
        ? undefined
        : lengthUnits.get(plainName(columns.header[columns.length] ?? ""));
    const used = new Set<unknown>(Object.values(columns));
    this.#extra = columns.header.flatMap((name, index) =>
      used.has(index) || isTimeName.test(plainName(name)) ? [] : [index],
    );
  }

  get spanCount(): number {
    return this.#collector.spans.length;
  }

  add(cells: readonly string[]): void {
    const { trace, span, parent, service, name, start, end, status, kind } = this.#columns;
    const at = (index: number | undefined): string =>
      index === undefined ? "" : (cells[index] ?? "");
    const startMicros = timeOfText(at(start));
    if (at(trace) === "" || at(span) === "" || startMicros === undefined) {
      this.#skippedCount += 1;
      return;
    }
    const pod = at(service);
    const resource: Attributes = pod === "" ? {} : { "service.name": serviceOfPod(pod) };
    if (resource["service.name"] !== undefined && resource["service.name"] !== pod)
      resource["k8s.pod.name"] = pod;
    const failure = failureOf(at(status), status === undefined ? "" : this.#nameOf(status));
    const parentId = at(parent);
    this.#collector.add({
      traceId: at(trace),
      spanId: at(span),
      parentSpanId: /^(?:root|none|null|nan|-1?)$/i.test(parentId) ? "" : parentId,
      name: at(name) === "" ? "span" : at(name),
      kind: kindOf(at(kind)),
      startMicros,
      endMicros: this.#endOf(startMicros, { start: at(start), end: at(end), cells }),
      attributes: this.#collector.bounded(this.#attributes(cells)),
      statusCode: failure,
      resource,
    });
  }

  #nameOf(index: number): string {
    return plainName(this.#columns.header[index] ?? "");
  }

  /** A length without a unit is of the unit in which the start is written, as Jaeger and its exports have it. */
  #endOf(
    startMicros: number,
    { start, end, cells }: { start: string; end: string; cells: readonly string[] },
  ): number | undefined {
    const ended = timeOfText(end);
    if (ended !== undefined) return ended;
    const written = Number(cells[this.#columns.length ?? -1] ?? "");
    if (!Number.isFinite(written)) return undefined;
    const unit = this.#lengthMicros ?? unitOfStart(start);
    return startMicros + Math.max(0, written) * unit;
  }

  #attributes(cells: readonly string[]): Attributes {
    const attributes: Attributes = {};
    for (const index of this.#extra) {
      const value = cells[index] ?? "";
      if (value !== "") this.#collector.set(attributes, this.#columns.header[index] ?? "", value);
    }
    const status = this.#columns.status;
    const code = status === undefined ? "" : (cells[status] ?? "");
    if (/^[1-5]\d\d(?:\.0)?$/.test(code)) attributes["http.response.status_code"] = Number(code);
    return attributes;
  }

  content(): FileContent {
    if (this.#skippedCount > 0) {
      this.#collector.tally.note(
        `${this.#skippedCount} rows without ids or a start that can be read were skipped.`,
      );
    }
    return this.#collector.content("a table");
  }
}

const isTimeName = /^(?:time|timestamp|date|starttimemillis|starttimems|starttime|endtime)$/;

function unitOfStart(start: string): number {
  const digits = Number(start);
  const unit = Number.isFinite(digits) ? microsPerUnit(digits) : 1e3;
  // Whoever writes a start in whole seconds measures lengths in milliseconds, and with nanoseconds in microseconds.
  if (unit >= 1e6) return 1e3;
  return Math.max(unit, 1);
}

function kindOf(text: string): number {
  const plain = text.toLowerCase().replace(/^span_?kind[_.]/, "");
  return Math.max(0, ["", "internal", "server", "client", "producer", "consumer"].indexOf(plain));
}

/** Codes of HTTP from 500 on and codes of gRPC that tell of the server; `0`, `OK` and empty cells tell of no failure. */
function failureOf(text: string, name: string): number {
  const plain = text
    .trim()
    .toLowerCase()
    .replace(/^status_?code[_.]/, "");
  if (plain === "" || plain === "nan") return 0;
  if (name === "success") return /^(?:true|1|1\.0)$/.test(plain) ? 1 : 2;
  if (name === "error") return /^(?:false|0|0\.0|none)$/.test(plain) ? 0 : 2;
  if (/^5\d\d(?:\.0)?$/.test(plain)) return 2;
  if (/^[1-4]\d\d(?:\.0)?$/.test(plain)) return 0;
  if (/^(?:error|err|failed|failure|internal_error)$/.test(plain)) return 2;
  const code = Number(plain);
  // Those of gRPC: unknown, deadline exceeded, resource exhausted, internal, unavailable, data loss.
  return [2, 4, 8, 13, 14, 15].includes(code) ? 2 : 0;
}
