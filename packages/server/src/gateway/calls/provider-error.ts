/** A provider's own error reply: collected, so that another attempt may answer, else passed on in the caller's dialect. */

import { parseForeignJson } from "@faultline/contracts/json";

import type { Dialect } from "./dialect.ts";
import { gatewayLimits } from "../limits.ts";
import type { ReplyHead } from "./reply-head.ts";

const excerptLengthMax = 500;

/** What a provider answered with a status of 400 or more. */
export interface ProviderError {
  readonly status: number;
  readonly head: ReplyHead;
  /** The first bytes, up to a bound. */
  readonly body: Buffer;
  /** What it said, and what it calls it; `undefined` where it is in no known shape, or holds a secret. */
  readonly message: string | undefined;
  readonly code: string | undefined;
  /** Whether the body holds our credential. */
  readonly leaks: boolean;
}

/** Gathers the body of an error, up to its bound. */
export class ProviderErrorBody {
  readonly #status: number;
  readonly #head: ReplyHead;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(status: number, head: ReplyHead) {
    this.#status = status;
    this.#head = head;
  }

  write(part: Buffer): void {
    const room = gatewayLimits.errorBodyBytesMax - this.#bytes;
    if (room > 0) this.#parts.push(part.subarray(0, room));
    this.#bytes += Math.min(part.length, Math.max(room, 0));
  }

  end(apiKey: string | undefined): ProviderError {
    const body = Buffer.concat(this.#parts);
    const leaks = apiKey !== undefined && body.includes(apiKey);
    const said = leaks ? undefined : readError(body);
    return {
      status: this.#status,
      head: this.#head,
      body,
      message: said?.message,
      code: said?.code,
      leaks,
    };
  }
}

/** The body that a caller of this dialect gets: the provider's own, where it is in a known shape. */
export function errorBodyFor(
  error: ProviderError,
  { dialect, provider }: { readonly dialect: Dialect; readonly provider: string },
): Buffer {
  if (error.message !== undefined) return error.body;
  const said = error.leaks ? "" : excerpt(error.body);
  const message = `Provider "${provider}" answered with status ${error.status}${said === "" ? "." : `: ${said}`}`;
  return Buffer.from(JSON.stringify(dialect.foreignErrorBody(error.status, message)));
}

/** What a body in the shape of either dialect says. The body is small: it was cut at its bound. */
function readError(body: Buffer): { message: string; code: string | undefined } | undefined {
  try {
    const value: unknown = parseForeignJson(body.toString());
    if (typeof value !== "object" || value === null || !("error" in value)) return undefined;
    const { error } = value;
    if (typeof error !== "object" || error === null || !("message" in error)) return undefined;
    if (typeof error.message !== "string") return undefined;
    const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
    const type = "type" in error && typeof error.type === "string" ? error.type : undefined;
    return { message: error.message, code: code ?? type };
  } catch {
    // Not JSON: the caller gets an excerpt in its dialect's shape.
    return undefined;
  }
}

/** Printable text of a foreign body. */
function excerpt(body: Buffer): string {
  return body
    .toString("utf8", 0, excerptLengthMax * 4)
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, excerptLengthMax);
}
