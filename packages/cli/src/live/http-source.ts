/** Asks a live system over HTTP, with a bound on each answer and no credential in anything that is shown. */

import { parseForeignJson } from "@faultline/contracts/json";

import { liveLimits } from "./live-source.ts";

/** The system answered, and not with what was asked for. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether nothing else can be had of a system either: it cannot be reached, sends elsewhere, or lets nobody in. */
export function isOfWholeSystem(error: unknown): boolean {
  if (error instanceof AnswerError) {
    return error.status === 401 || (error.status >= 300 && error.status < 400);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|ERR_TLS|DEPTH_|UNABLE_TO|SELF_SIGNED)/.test(
    code,
  );
}

export interface HttpSourceOptions {
  readonly fetch: typeof globalThis.fetch;
  /** A bearer token; the URL may carry a user and a password instead. */
  readonly token?: string | undefined;
}

/** One system at one address. */
export class HttpSource {
  /** The address without credentials. */
  readonly address: string;
  readonly #base: URL;
  readonly #fetch: typeof globalThis.fetch;
  readonly #authorization: string | undefined;

  constructor(address: URL, { fetch, token }: HttpSourceOptions) {
    const base = new URL(address);
    const login = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
    if (login !== ":") this.#authorization = `Basic ${Buffer.from(login).toString("base64")}`;
    else if (token !== undefined && token !== "") this.#authorization = `Bearer ${token}`;
    base.username = "";
    base.password = "";
    base.search = "";
    base.hash = "";
    this.#base = base;
    this.#fetch = fetch;
    this.address = base.href.replace(/\/$/, "");
  }

  /** The bytes of an answer. Throws an `AnswerError` for a refusal and for an answer beyond the limit. */
  async get(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const url = new URL(`${this.address}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const response = await this.#follow(url, signal);
    const bytes = await bodyOf(response);
    if (!response.ok) throw new AnswerError(response.status, refusal(response.status, bytes));
    return bytes;
  }

  /**
   * A system may move within its own address. Another one gets neither its credentials nor a request: who answers here
   * may not send this machine elsewhere.
   */
  async #follow(first: URL, signal: AbortSignal): Promise<Response> {
    let url = first;
    for (let count = 0; count <= liveLimits.redirectCountMax; count += 1) {
      const response = await this.#fetch(url, {
        signal,
        redirect: "manual",
        headers: {
          accept: "application/json, */*;q=0.5",
          ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
        },
      });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) return response;
      await response.body?.cancel();
      const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
      if (next?.origin !== url.origin) {
        throw new AnswerError(
          response.status,
          `It sends to another address${next === undefined ? "" : ` (${next.host})`}, which is not followed.`,
        );
      }
      url = next;
    }
    throw new AnswerError(
      310,
      `It sends from one address to the next, more than ${liveLimits.redirectCountMax} times.`,
    );
  }

  /** An answer as JSON, of which nothing is known. */
  async getJson(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    return (await this.getDocument(path, query, signal)).answer;
  }

  /** An answer as JSON, and its bytes as they came. */
  async getDocument(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<{ readonly answer: unknown; readonly bytes: Uint8Array }> {
    const bytes = await this.get(path, query, signal);
    try {
      return { answer: parseForeignJson(new TextDecoder().decode(bytes)), bytes };
    } catch {
      // The words of the fault would quote the answer, and with it what may be secret.
      throw new AnswerError(200, "The answer is not JSON.");
    }
  }

  /** The address as part of a file's name. */
  get fileName(): string {
    const { host, pathname } = this.#base;
    return `${host}${pathname}`.replaceAll(/[^A-Za-z0-9.-]+/g, "-").replace(/-$/, "");
  }
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    // Leaving the loop cancels the body, so that nothing more of it is sent.
    if (sizeBytes > liveLimits.answerBytesMax) {
      throw new AnswerError(
        response.status,
        `The answer has more than ${liveLimits.answerBytesMax} bytes.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

/** What a refusal says, on one line. */
function refusal(status: number, bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 4_096)).replace(/\s+/g, " ").trim();
  const said = /"(?:error|message|msg)":\s?"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
  const short = said.slice(0, liveLimits.messageLengthMax);
  return short === "" ? `It answered ${status}.` : `It answered ${status}: ${short}`;
}
