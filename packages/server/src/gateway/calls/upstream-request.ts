/** The request that a provider gets: its path, its closed list of headers, and the body with its splices. */

import type { IncomingHttpHeaders } from "node:http";

import type { CatalogProvider, Target } from "#catalog/index.ts";
import type { Dispatcher } from "undici";

import { applySplices } from "../wire/splice.ts";
import type { OperationRecord } from "./operation-record.ts";
import { PlainRelay } from "./plain-relay.ts";
import type { ProviderError } from "./provider-error.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import type { RequestFacts } from "./request-reader.ts";
import { StreamRelay } from "./stream-relay.ts";
import type { Surface } from "./surface.ts";
import type { Upstream } from "./upstreams.ts";

export type CallerHeaders = IncomingHttpHeaders;

export interface RequestPlan {
  /** What the provider is asked in. */
  readonly surface: Surface;
  readonly request: Dispatcher.DispatchOptions;
  /** Headers of ours that a reply to it has. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  relayOf(target: RelayTarget, contentLength: string | undefined): Relay;
  /** The provider's error in the caller's dialect, where it speaks another one. */
  errorBody?(error: ProviderError): Buffer;
}

export interface RequestToPlan {
  readonly surface: Surface;
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly target: Target;
  readonly upstream: Upstream;
  readonly headers: CallerHeaders;
  readonly record: OperationRecord;
}

/** Plans the request to one target. */
export function planRequest(asked: RequestToPlan): RequestPlan {
  const { surface, body, facts, target } = asked;
  const splices = [facts.modelSplice(target.model.upstreamName)];
  if (facts.usageSplice !== undefined) splices.push(facts.usageSplice);
  return {
    surface,
    request: requestOf(asked, surface, applySplices(body, splices)),
    ownHeaders: {},
    relayOf: (relayTarget, contentLength) =>
      facts.stream
        ? new StreamRelay(relayTarget, facts.usageSplice !== undefined)
        : new PlainRelay(relayTarget, contentLength),
  };
}

function requestOf(
  asked: RequestToPlan,
  surface: Surface,
  body: Buffer,
): Dispatcher.DispatchOptions {
  const { target, upstream } = asked;
  return {
    origin: upstream.origin,
    path: upstream.pathOf(surface.path, target.model.upstreamName),
    method: "POST",
    headers: upstreamHeaders(asked, surface),
    body,
  };
}

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
