/** The request that a provider gets: its path, its closed list of headers, and the body with its splices. */

import type { IncomingHttpHeaders } from "node:http";

import type { CatalogProvider, Target } from "#catalog/index.ts";
import type { SurfaceName } from "#config/index.ts";
import { assert } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";
import type { Dispatcher } from "undici";

import { outputLimitSplices } from "../credit/output-limit.ts";
import { gatewayLimits } from "../limits.ts";
import {
  translateError,
  translateRequest,
  type Surface as TranslatedSurface,
} from "../translation/index.ts";
import { applySplices, type Splice, spliceParts } from "../wire/splice.ts";
import type { OperationRecord } from "./operation-record.ts";
import { PlainRelay } from "./plain-relay.ts";
import type { ProviderError } from "./provider-error.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import { RequestBytes } from "./request-bytes.ts";
import type { RequestFacts } from "./request-reader.ts";
import { StreamRelay } from "./stream-relay.ts";
import { type Surface, surfaces } from "./surface.ts";
import { tokenLimitSplice } from "./token-limit-splice.ts";
import { TranslatedPlainRelay, TranslatedStreamRelay } from "./translated-relay.ts";
import type { Upstream, Upstreams } from "./upstreams.ts";

export type CallerHeaders = IncomingHttpHeaders;

export interface RequestPlan {
  readonly upstream: Upstream;
  /** What the provider is asked in. */
  readonly surface: Surface;
  readonly request: Dispatcher.DispatchOptions;
  /** From which surface to which, when the provider is asked in another one than the caller's. */
  readonly translation: string | undefined;
  /** Headers of ours that a reply to it has. */
  readonly ownHeaders: Readonly<Record<string, string>> | undefined;
  relayOf(target: RelayTarget, contentLength: string | undefined): Relay;
  /** Lets go of the request and of what it was made from: it is not sent again. */
  forget(asked: { body: Buffer }): void;
  /** The provider's error in the caller's dialect, where it speaks another one. */
  errorBody?(error: ProviderError): Buffer;
}

export interface RequestToPlan {
  readonly surface: Surface;
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly target: Target;
  readonly upstreams: Upstreams;
  readonly headers: CallerHeaders;
  readonly record: OperationRecord;
  /** The limit of output tokens that it gets; `undefined` leaves it as it is. */
  readonly outputLimit: number | undefined;
}

interface RequestToUpstream extends RequestToPlan {
  readonly upstream: Upstream;
}

/** In which surface a provider is asked that does not serve the caller's, the nearest first. */
const substitutes: Partial<Readonly<Record<SurfaceName, readonly TranslatedSurface[]>>> = {
  chat: ["messages", "responses"],
  responses: ["chat", "messages"],
  messages: ["chat", "responses"],
};

/** Plans the request to one target. Throws `translation_unsupported` where it cannot be asked this. */
export function planRequest(call: RequestToPlan): RequestPlan {
  const { surface, target, facts } = call;
  assert(call.body.length > 0, "a request that was let go of is not sent again");
  const upstream = call.upstreams.of(target.provider.name);
  if (upstream === undefined) {
    throw new PlatformError("model_not_found", `No provider serves "${facts.model}".`);
  }
  const asked = { ...call, upstream };
  const { surfaces: served } = target.provider;
  if (served.includes(surface.name)) return planInDialect(asked);
  const substitute = substitutes[surface.name]?.find((name) => served.includes(name));
  if (substitute !== undefined) return planTranslated(asked, substitute);
  throw new PlatformError(
    "translation_unsupported",
    `Provider "${target.provider.name}" does not serve ${surface.name}, and what it serves (${served.join(", ")}) cannot stand for it.`,
    { where: "/model", hint: "Ask for a model of another provider: GET /v1/models lists them." },
  );
}

function planTranslated(asked: RequestToUpstream, to: TranslatedSurface): RequestPlan {
  const { surface, body, facts, target, record } = asked;
  const translated = translateRequest(
    {
      // Only these have substitutes.
      from: surface.name as TranslatedSurface,
      to,
      model: target.model.upstreamName,
      maxTokensDefault: gatewayLimits.translatedMaxTokens,
      tokenLimitField: target.provider.tokenLimitField,
      nowSeconds: Math.floor(record.startMs / msPerSecond),
    },
    applySplices(body, limitSplicesOf(asked)),
  );
  const { context, losses } = translated;
  return {
    upstream: asked.upstream,
    translation: `${surface.name} to ${to}`,
    surface: surfaces[to],
    ...requestOf(asked, surfaces[to], [translated.body]),
    ownHeaders:
      losses.length === 0 ? undefined : { "x-faultline-translation-loss": headerOf(losses) },
    relayOf: (relayTarget) =>
      facts.stream
        ? new TranslatedStreamRelay(relayTarget, context)
        : new TranslatedPlainRelay(relayTarget, context),
    errorBody: ({ status, body: said, leaks }) =>
      translateError(context, status, leaks ? Buffer.alloc(0) : said),
  };
}

/** Losses as the value of a header: bounded, and in its alphabet. */
function headerOf(losses: readonly string[]): string {
  return losses
    .join("; ")
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .slice(0, gatewayLimits.lossHeaderLengthMax);
}

function planInDialect(asked: RequestToUpstream): RequestPlan {
  const { surface, body, facts, target } = asked;
  const splices = [facts.modelSplice(target.model.upstreamName)];
  if (facts.usageSplice !== undefined) splices.push(facts.usageSplice);
  if (surface.name === "chat") {
    const isSet = asked.outputLimit !== undefined;
    const limit = tokenLimitSplice(body, facts, { known: target.provider.tokenLimitField, isSet });
    if (limit !== undefined) splices.push(limit);
  }
  splices.push(...limitSplicesOf(asked));
  const { request, forget } = requestOf(asked, surface, spliceParts(body, splices));
  return {
    upstream: asked.upstream,
    translation: undefined,
    surface,
    request,
    forget,
    ownHeaders: undefined,
    relayOf: (relayTarget, contentLength) =>
      facts.stream
        ? new StreamRelay(relayTarget, facts.usageSplice !== undefined)
        : new PlainRelay(relayTarget, contentLength),
  };
}

function limitSplicesOf({ facts, outputLimit, surface, target }: RequestToUpstream): Splice[] {
  if (outputLimit === undefined) return noSplices;
  const field = target.provider.tokenLimitField;
  return outputLimitSplices(facts, outputLimit, { surface, field });
}

const noSplices: Splice[] = [];

function requestOf(
  asked: RequestToUpstream,
  surface: Surface,
  parts: readonly Buffer[],
): Pick<RequestPlan, "request" | "forget"> {
  const { target, upstream } = asked;
  const body = RequestBytes.of(parts);
  const headers = upstreamHeaders(asked, surface);
  if (body instanceof RequestBytes) headers.push("content-length", String(body.length));
  return {
    request: {
      origin: upstream.origin,
      path: upstream.pathOf(surface.path, target.model.upstreamName),
      method: "POST",
      headers,
      // The client takes iterables of buffers too, although its types do not say so.
      body: body as Buffer,
    },
    forget: (source) => {
      source.body = noBytes;
      if (body instanceof RequestBytes) body.release();
    },
  };
}

const noBytes = Buffer.alloc(0);
const msPerSecond = 1_000;
const anthropicVersion = "2023-06-01";

/** A closed list: the caller's key and its other headers never reach a provider. */
function upstreamHeaders(
  { headers: given, target, record }: RequestToPlan,
  surface: Surface,
): string[] {
  const { provider } = target;
  const headers = [
    "content-type",
    "application/json",
    "accept",
    record.stream ? "text/event-stream" : "application/json",
    "accept-encoding",
    "identity",
    "user-agent",
    "faultline",
    "traceparent",
    record.trace.header,
  ];
  const pass = (name: string): void => {
    const value = given[name];
    if (typeof value === "string") headers.push(name, value);
  };
  pass("tracestate");
  if (surface.dialect.name === "anthropic") {
    const version = given["anthropic-version"];
    headers.push("anthropic-version", typeof version === "string" ? version : anthropicVersion);
    pass("anthropic-beta");
  } else {
    pass("openai-beta");
  }
  if (provider.apiKey !== undefined) headers.push(...credentialOf(provider, provider.apiKey));
  if (provider.kind === "simulated") {
    headers.push("x-faultline-provider", provider.name);
    pass("x-faultline-simulate");
  }
  return headers;
}

function credentialOf(provider: CatalogProvider, apiKey: string): [string, string] {
  const { keyHeader } = provider;
  return keyHeader === "authorization" ? [keyHeader, `Bearer ${apiKey}`] : [keyHeader, apiKey];
}
