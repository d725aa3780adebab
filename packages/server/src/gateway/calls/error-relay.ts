/** Passes on a provider's own error: its status, and its body where that is in the dialect's shape. */

import type { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import { sendError, typeOfStatus } from "./openai-error.ts";
import type { Relay, RelayTarget } from "./relay.ts";

const excerptLengthMax = 500;

export class ErrorRelay implements Relay {
  readonly #target: RelayTarget;
  readonly #provider: { readonly name: string; readonly apiKey: string | undefined };
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  progress = 0;
  readonly deltaSeen = false;
  readonly complete = false;
  /** What the provider said; for the span. */
  message: string | undefined;

  constructor(
    target: RelayTarget,
    provider: { readonly name: string; readonly apiKey: string | undefined },
  ) {
    this.#target = target;
    this.#provider = provider;
  }

  write(part: Buffer): boolean {
    this.progress += 1;
    const room = gatewayLimits.errorBodyBytesMax - this.#bytes;
    if (room > 0) this.#parts.push(part.subarray(0, room));
    this.#bytes += Math.min(part.length, Math.max(room, 0));
    return true;
  }

  end(): void {
    const { response, status, head } = this.#target;
    const body = Buffer.concat(this.#parts);
    const ownMessage = readErrorMessage(body);
    const leaks = this.#provider.apiKey !== undefined && body.includes(this.#provider.apiKey);
    this.message = leaks ? undefined : ownMessage;
    const sent = ownMessage !== undefined && !leaks ? body : this.#wrap(leaks ? "" : excerpt(body));
    const type = { "content-type": "application/json", "content-length": sent.length };
    response.writeHead(status, { ...head, ...type });
    response.end(sent);
  }

  fail(error: PlatformError): boolean {
    sendError(this.#target.response, error);
    return false;
  }

  #wrap(said: string): Buffer {
    const { status } = this.#target;
    const message = `Provider "${this.#provider.name}" answered with status ${status}${said === "" ? "." : `: ${said}`}`;
    const type = typeOfStatus(status);
    return Buffer.from(JSON.stringify({ error: { message, type, param: null, code: null } }));
  }
}

/** The message of a body in the dialect's shape, or `undefined`. The body is small: it was cut at its bound. */
function readErrorMessage(body: Buffer): string | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value !== "object" || value === null || !("error" in value)) return undefined;
    const { error } = value;
    if (typeof error !== "object" || error === null || !("message" in error)) return undefined;
    return typeof error.message === "string" ? error.message : undefined;
  } catch {
    // Not JSON: the caller gets an excerpt in the dialect's shape.
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
