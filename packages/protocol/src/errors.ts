/**
 * Every error that leaves Faultline, in one closed table. A code is never renamed or reused.
 * 500 is our bug, 503 means try again, 402 means credit, 404 also means not yours to see.
 */

import { type Static, Type } from "typebox";

/** Who must act for the next request to succeed. */
export type ErrorActor = "caller" | "operator" | "provider" | "faultline";

export interface ErrorRow {
  readonly status: number;
  readonly actor: ErrorActor;
  /** Whether the same request may succeed when it is sent again later. */
  readonly retryable: boolean;
  /** What the code means, in one sentence. */
  readonly meaning: string;
}

export const errorTable = {
  // Requests that cannot be read.
  request_malformed: row(400, "caller", false, "The request cannot be read: its syntax is wrong."),
  request_invalid: row(400, "caller", false, "The request is read but breaks its schema."),
  request_too_large: row(413, "caller", false, "The body or a part of it is beyond a named limit."),
  headers_too_large: row(431, "caller", false, "The header lines together are beyond their limit."),
  nesting_too_deep: row(413, "caller", false, "Values in the body are nested beyond their limit."),
  messages_too_many: row(413, "caller", false, "The call has more messages than are allowed."),
  tools_too_many: row(413, "caller", false, "The call offers more tools than are allowed."),
  images_too_many: row(413, "caller", false, "The call has more images than are allowed."),
  request_timeout: row(408, "caller", true, "The body did not come before the call's deadline."),
  media_type_unsupported: row(
    415,
    "caller",
    false,
    "The content type or encoding is not one that this path reads.",
  ),
  translation_unsupported: row(
    400,
    "caller",
    false,
    "The provider speaks another dialect, and something in the request cannot be said in it.",
  ),
  method_not_allowed: row(405, "caller", false, "The path exists, the method does not."),
  origin_refused: row(
    403,
    "caller",
    false,
    "The Host or Origin header names a page that may not talk to this server.",
  ),
  // Who is asking.
  key_missing: row(401, "caller", false, "No API key and no session came with the request."),
  key_malformed: row(
    401,
    "caller",
    false,
    "The API key is mistyped: its form or checksum is wrong.",
  ),
  key_unknown: row(401, "caller", false, "The API key is well formed but not known here."),
  key_expired: row(401, "caller", false, "The API key is past its expiry."),
  key_revoked: row(401, "caller", false, "The API key was revoked."),
  permission_denied: row(
    403,
    "caller",
    false,
    "The key is valid but its role does not allow this.",
  ),
  // What is asked for.
  not_found: row(404, "caller", false, "It does not exist, or it is not yours to see."),
  conflict: row(409, "caller", false, "The state of the thing does not allow this step."),
  descriptors_exhausted: row(
    503,
    "operator",
    true,
    "The process has no file descriptors left for another connection.",
  ),
  limit_exceeded: row(429, "caller", true, "A named limit is reached."),
  // Models and providers.
  model_not_found: row(404, "caller", false, "No configured provider serves a model of this name."),
  price_unknown: row(
    402,
    "operator",
    false,
    "The model or kind of device has no price, and without a price nothing is admitted.",
  ),
  // Credit. Nothing moves when a command of the ledger is refused.
  credit_exhausted: row(
    402,
    "caller",
    false,
    "The account or a budget has not enough left for what is asked; what would fit is told.",
  ),
  amount_negative: row(400, "caller", false, "An amount is below zero."),
  amount_zero: row(400, "caller", false, "An amount is zero where something has to move."),
  amount_fractional: row(400, "caller", false, "An amount is not a whole number of micros."),
  amount_too_large: row(400, "caller", false, "An amount is beyond the largest that is allowed."),
  amount_invalid: row(400, "caller", false, "An amount is not one that the command allows."),
  currency_mismatch: row(400, "caller", false, "The tenant has no account in this currency."),
  ledger_command_invalid: row(400, "caller", false, "A part of the command is not allowed."),
  ledger_id_reused: row(
    409,
    "caller",
    false,
    "The id was used before for another command; the same command may be repeated with it.",
  ),
  lot_expired: row(409, "caller", false, "The credit would have expired already."),
  account_closed: row(409, "operator", false, "The account is closed to what is new."),
  hold_not_found: row(404, "caller", false, "There is no such hold, or it is not yours to see."),
  hold_ended: row(409, "caller", false, "The hold was settled, released or expired before."),
  lease_not_found: row(404, "caller", false, "There is no such lease, or it is not yours to see."),
  lease_ended: row(409, "caller", false, "The lease was returned or lost before."),
  lease_fenced: row(409, "caller", false, "A later life of the worker has taken over."),
  lease_unreported: row(
    409,
    "caller",
    false,
    "The lease cannot end yet: uses of it may still be reported.",
  ),
  budget_not_found: row(
    404,
    "caller",
    false,
    "There is no such budget, or it is not yours to see.",
  ),
  ledger_full: row(429, "operator", true, "A named limit of the tenant's ledger is reached."),
  ledger_unavailable: row(
    503,
    "operator",
    true,
    "The ledger cannot be written; the command may have taken effect, and is repeated with its id.",
  ),
  killed: row(
    403,
    "operator",
    false,
    "A kill switch holds for the alias, model, provider or tenant; calls go on once it is revived.",
  ),
  content_refused: row(
    422,
    "caller",
    false,
    "The safety policy of the bundle refuses what the request says.",
  ),
  provider_unreachable: row(502, "provider", true, "The provider could not be reached."),
  provider_timeout: row(504, "provider", true, "The provider did not answer within its deadline."),
  provider_stream_cut: row(502, "provider", true, "The provider's stream broke before its end."),
  provider_failed: row(
    502,
    "provider",
    true,
    "The provider reported an error in its stream before it had said anything.",
  ),
  provider_unauthorized: row(
    502,
    "operator",
    false,
    "The provider refused the credential that is configured for it.",
  ),
  provider_response_invalid: row(
    502,
    "provider",
    true,
    "The provider's reply is not in the wire format that it should speak.",
  ),
  target_unavailable: row(
    503,
    "provider",
    true,
    "Every target that could serve this failed so often that it gets no calls for a while.",
  ),
  // Streams and calls that outlive a connection.
  stream_interrupted: row(
    502,
    "faultline",
    true,
    "The gateway process that carried the stream ended before it; what was received stands, the rest is lost.",
  ),
  stream_cancelled: row(409, "caller", false, "The stream was stopped by its cancel endpoint."),
  idempotency_mismatch: row(
    409,
    "caller",
    false,
    "The Idempotency-Key was used before for another method, path or body.",
  ),
  outcome_unknown: row(
    409,
    "caller",
    false,
    "The process that made the call ended after the request may have reached a provider; with this key it is not made again.",
  ),
  idempotency_result_dropped: row(
    410,
    "caller",
    false,
    "The call of this Idempotency-Key was made, but its reply had to make room for newer ones.",
  ),
  owner_unavailable: row(
    503,
    "faultline",
    true,
    "The gateway process that owns this stream or key cannot be reached.",
  ),
  journal_unavailable: row(
    503,
    "operator",
    true,
    "The journal of this gateway process takes no records, and without it nothing durable is admitted.",
  ),
  // Evidence.
  evidence_unreadable: row(
    422,
    "caller",
    false,
    "The evidence cannot be read in any known format.",
  ),
  snapshot_corrupt: row(
    422,
    "caller",
    false,
    "A snapshot's content does not match the hash in its manifest.",
  ),
  // The platform itself.
  shutting_down: row(503, "faultline", true, "This process is draining and takes no new work."),
  database_unavailable: row(503, "operator", true, "The database cannot be reached."),
  control_unavailable: row(503, "faultline", true, "The control process cannot be reached."),
  storage_full: row(
    507,
    "operator",
    false,
    "The disk is full, or the configured size cap of the store is reached.",
  ),
  data_folder_in_use: row(500, "operator", false, "Another process holds the data folder."),
  data_folder_incompatible: row(
    500,
    "operator",
    false,
    "The data folder was written by another version.",
  ),
  configuration_invalid: row(
    500,
    "operator",
    false,
    "The configuration cannot be used as it stands.",
  ),
  port_taken: row(500, "operator", false, "Another process listens on the port."),
  backup_corrupt: row(422, "operator", false, "A backup's content does not match its checksums."),
  internal: row(500, "faultline", false, "A fault of Faultline itself."),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
// The keys of a literal table are exactly its codes.
export const errorCodes = Object.keys(errorTable) as ErrorCode[];

export interface PlatformErrorOptions {
  /** For the operator's log; never sent to the caller. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** What the caller can do next, in one sentence. */
  readonly hint?: string;
  /** Where in the input the fault lies: a JSON pointer, a line, a byte offset. */
  readonly where?: string;
}

/** A failure with a code from the table. `message` is for the caller: what was expected, and what came. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;
  readonly hint: string | undefined;
  readonly where: string | undefined;

  constructor(code: ErrorCode, message: string, options: PlatformErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.context = options.context ?? {};
    this.hint = options.hint;
    this.where = options.where;
  }

  get row(): ErrorRow {
    return errorTable[this.code];
  }

  /** The body that the control API sends. */
  toBody(): ErrorBody {
    return {
      error: {
        code: this.code,
        message: this.message,
        retryable: this.row.retryable,
        ...(this.hint === undefined ? {} : { hint: this.hint }),
        ...(this.where === undefined ? {} : { where: this.where }),
      },
    };
  }
}

/** The body of every error of the control API. */
export const ErrorBody = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ maxLength: 64 }),
        message: Type.String({ maxLength: 8_192 }),
        retryable: Type.Boolean(),
        hint: Type.Optional(Type.String({ maxLength: 2_048 })),
        where: Type.Optional(Type.String({ maxLength: 2_048 })),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type ErrorBody = Static<typeof ErrorBody>;

// oxlint-disable-next-line max-params -- the cells of a table's row read best in the order of its columns
function row(status: number, actor: ErrorActor, retryable: boolean, meaning: string): ErrorRow {
  return { status, actor, retryable, meaning };
}
