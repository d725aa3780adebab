/** The typed client of the control API, used by the command line and the console. */

import { parseForeignJson } from "@faultline/contracts/json";
import { Check } from "typebox/value";

import { ErrorBody, errorCodes, PlatformError } from "./errors.ts";
import {
  type ApiInput,
  type ApiOutput,
  type ApiRoute,
  type ApiRouteName,
  apiRouteNames,
  apiRoutes,
} from "./routes.ts";

export interface ClientOptions {
  /** Where the platform is, for example `http://127.0.0.1:4600`; empty for a page that it served itself. */
  readonly baseUrl: string;
  /** Absent in a browser, where the session cookie speaks. */
  readonly key?: string;
  readonly fetch: typeof globalThis.fetch;
  /** How long one call may take; default 60 s. */
  readonly deadlineMs?: number;
  /**
   * Takes answers as they come. For a page that the same server served: its answers are of its own version, and
   * where a content policy forbids compiled checks, checking a trace of ten thousand spans takes seconds.
   */
  readonly trustReplies?: boolean;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Overrides the client's deadline for this call. */
  readonly deadlineMs?: number;
}

/** One method for each route of `apiRoutes`. Each throws `PlatformError`, or the signal's reason when it aborts. */
export type Client = {
  readonly [N in ApiRouteName]: (input: ApiInput<N>, options: CallOptions) => Promise<ApiOutput<N>>;
};

export const clientLimits = {
  deadlineMs: 60_000,
  /** A larger answer is refused rather than held in memory. */
  replyBytesMax: 268_435_456,
} as const;

/** Makes a client. Opens nothing. */
export function createClient(options: ClientOptions): Client {
  const methods = apiRouteNames.map((name) => [
    name,
    (input: RouteInput, call: CallOptions) => callRoute({ client: options, name, input, call }),
  ]);
  // Each method answers what the table says about its route; `callRoute` checks it against the route's schema.
  return Object.fromEntries(methods) as Client;
}

interface RouteInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

interface RouteCall {
  readonly client: ClientOptions;
  readonly name: ApiRouteName;
  readonly input: RouteInput;
  readonly call: CallOptions;
}

async function callRoute({ client, name, input, call }: RouteCall): Promise<unknown> {
  const route: ApiRoute = apiRoutes[name];
  const deadlineMs = call.deadlineMs ?? client.deadlineMs ?? clientLimits.deadlineMs;
  // oxlint-disable-next-line no-restricted-properties -- the client runs in browsers too, which have no Clock
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const response = await client.fetch(urlOf(client.baseUrl, route, input), {
      method: route.method,
      headers: headersOf(client.key, input),
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.any([call.signal, deadline]),
      ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    });
    const bytes = await readBytes(response);
    if (!response.ok) throw errorOf(response.status, bytes);
    return readReply(route, bytes, client.trustReplies === true);
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    if (call.signal.aborted) throw call.signal.reason;
    const what = deadline.aborted ? `did not answer within ${deadlineMs} ms` : "cannot be reached";
    throw new PlatformError(
      "control_unavailable",
      `Faultline ${what} at ${client.baseUrl || "this address"}.`,
      {
        hint: "Is it running? `faultline up` starts it; `faultline doctor` looks for what is wrong.",
        cause: error,
      },
    );
  }
}

function urlOf(baseUrl: string, route: ApiRoute, input: RouteInput): string {
  const path = route.path.replaceAll(/:([A-Za-z]+)/g, (_, name: string) =>
    encodeURIComponent(input.params?.[name] ?? ""),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.toString();
  return `${baseUrl.replace(/\/+$/, "")}${path}${search === "" ? "" : `?${search}`}`;
}

function headersOf(key: string | undefined, input: RouteInput): Record<string, string> {
  return {
    accept: "application/json, */*;q=0.1",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(input.body === undefined ? {} : { "content-type": "application/json" }),
  };
}

async function readBytes(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) break;
    length += chunk.value.length;
    if (length > clientLimits.replyBytesMax) {
      await reader?.cancel();
      throw new PlatformError(
        "limit_exceeded",
        `The answer is larger than ${clientLimits.replyBytesMax} bytes.`,
        {
          hint: "Ask for less: a shorter window, a smaller limit.",
        },
      );
    }
    chunks.push(chunk.value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function readReply(route: ApiRoute, bytes: Uint8Array, isTrusted: boolean): unknown {
  switch (route.reply.kind) {
    case "empty":
      return undefined;
    case "bytes":
      return bytes;
    case "text":
    case "stream":
      return new TextDecoder().decode(bytes);
    case "json": {
      const value = parseJson(bytes);
      if (!isTrusted && !Check(route.reply.schema, value)) {
        throw new PlatformError(
          "internal",
          `${route.method} ${route.path} answered with something that is not its schema.`,
          {
            hint: "Is the server of the same version as this client?",
          },
        );
      }
      return value;
    }
  }
}

function errorOf(status: number, bytes: Uint8Array): PlatformError {
  const body = parseJson(bytes);
  if (Check(ErrorBody, body)) {
    const { code, message, hint, where } = body.error;
    const known = errorCodes.find((candidate) => candidate === code);
    return new PlatformError(known ?? "internal", message, {
      ...(hint === undefined ? {} : { hint }),
      ...(where === undefined ? {} : { where }),
      context: { status, code },
    });
  }
  return new PlatformError(
    "control_unavailable",
    `The answer has status ${status} and is none of Faultline's.`,
    {
      hint: "Does something else listen at this address?",
      context: { status },
    },
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseForeignJson(new TextDecoder().decode(bytes));
  } catch {
    // What is not JSON fits no schema; the caller of this function says so.
    return undefined;
  }
}
