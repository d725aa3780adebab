/** Asks a live system over HTTP, with a bound on each answer and no credential in anything that is shown. */

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
    const response = await this.#fetch(url, {
      signal,
      headers: {
        accept: "application/json, */*;q=0.5",
        ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      },
    });
    const bytes = await bodyOf(response);
    if (!response.ok) throw new AnswerError(response.status, refusal(response.status, bytes));
    return bytes;
  }

  /** An answer as JSON, of which nothing is known. */
  async getJson(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    const bytes = await this.get(path, query, signal);
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new AnswerError(200, "The answer is not JSON.");
    }
  }

  /** The address as part of a file's name. */
  get fileName(): string {
    return this.#base.host.replaceAll(/[^A-Za-z0-9.-]/g, "-");
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
