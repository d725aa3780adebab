/**
 * The answers of OTLP/HTTP in the encoding of the request: `Export…ServiceResponse` and `google.rpc.Status`
 * (OpenTelemetry protocol 1.9, sections "OTLP/HTTP response" and "failures"). Both messages are two fields, so the
 * protobuf form is written by hand.
 */

export type OtlpEncoding = "protobuf" | "json";
export type OtlpKind = "traces" | "logs" | "metrics";

export const otlpMediaTypes: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** What was not taken of an export; nothing rejected and no message means full success. */
export interface PartialSuccess {
  readonly rejectedCount: number;
  readonly message?: string;
}

const rejectedFields: Readonly<Record<OtlpKind, string>> = {
  traces: "rejectedSpans",
  logs: "rejectedLogRecords",
  metrics: "rejectedDataPoints",
};

/** The body of a success; its `partial_success` is absent when everything was taken without remark. */
export function encodeExportResponse(
  kind: OtlpKind,
  encoding: OtlpEncoding,
  partial: PartialSuccess,
): Buffer {
  const { rejectedCount, message = "" } = partial;
  const full = rejectedCount === 0 && message === "";
  if (encoding === "json") {
    // 64-bit integers are text in the JSON form of protobuf.
    const partialSuccess = { [rejectedFields[kind]]: String(rejectedCount), errorMessage: message };
    return Buffer.from(JSON.stringify(full ? {} : { partialSuccess }));
  }
  if (full) return Buffer.alloc(0);
  const inner = Buffer.concat([
    ...(rejectedCount === 0 ? [] : [Buffer.from([0x08]), varint(rejectedCount)]),
    ...(message === "" ? [] : [textField(2, message)]),
  ]);
  return Buffer.concat([Buffer.from([0x0a]), varint(inner.length), inner]);
}

/** The body of a failure: `google.rpc.Status` with the gRPC code nearest to the HTTP status. */
export function encodeStatus(encoding: OtlpEncoding, status: number, message: string): Buffer {
  const code = grpcCodes[status] ?? (status >= 500 ? grpcCode.internal : grpcCode.invalidArgument);
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.concat([Buffer.from([0x08]), varint(code), textField(2, message)]);
}

const grpcCode = {
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const grpcCodes: Readonly<Record<number, number>> = {
  401: grpcCode.unauthenticated,
  403: grpcCode.permissionDenied,
  405: grpcCode.unimplemented,
  413: grpcCode.resourceExhausted,
  415: grpcCode.unimplemented,
  429: grpcCode.resourceExhausted,
  503: grpcCode.unavailable,
  507: grpcCode.resourceExhausted,
};

function textField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

/** A non-negative integer below 2^53 in base-128 groups, lowest first. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
