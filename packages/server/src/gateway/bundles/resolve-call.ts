/** From the name that a caller asks for to a bundle, if it is one's, and the targets that may serve it. */

import {
  type ActiveBundle,
  type KeyFacts,
  type RequestFacts as ConditionFacts,
  type RequestNeeds,
  routeOf,
  type Target,
} from "#catalog/index.ts";
import { admitsName, type OperationId, PlatformError } from "@faultline/protocol";

import type { RequestReader } from "../calls/request-reader.ts";
import type { CallPrices } from "../calls/call-prices.ts";
import { admitsModel, foreignModel } from "../calls/model-terms.ts";
import { resolveRoute } from "../calls/resolve-route.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import { checkInput } from "../policy/check-input.ts";
import type { CompiledPolicy } from "../policy/compiled-policy.ts";
import type { Policies } from "../policy/policies.ts";
import type { SnapshotKey } from "../snapshot.ts";
import { applySplices } from "../wire/splice.ts";
import type { Knowledge } from "../workers/gateway-state.ts";
import { type BundledRequest, bundleSplices, readMetadata } from "./bundle-splices.ts";
import { killedError } from "./killed.ts";

/** A bundle at work in one call. */
export interface BundleUse {
  readonly bundle: ActiveBundle;
  readonly aliasName: string | undefined;
  readonly policy: CompiledPolicy | undefined;
  /** Parameters of the bundle that the request's format has no word for. */
  readonly unused: readonly string[];
  /** Input rules that took something out. */
  readonly redactedBy: readonly string[];
}

/** The request as it is sent on: of a bundle with what it puts in. */
export interface ResolvedCall extends Pick<BundledRequest, "body" | "facts"> {
  readonly use: BundleUse | undefined;
  readonly route: readonly RouteTarget[];
}

export interface CallToResolve extends BundledRequest {
  readonly key: SnapshotKey;
  readonly operationId: OperationId;
  readonly prices: CallPrices;
  /** Reads the request anew once something was put into it. */
  readonly reader: RequestReader;
  /** Called once the version is known, before it is held against the request. */
  onBundle(bundle: ActiveBundle, aliasName: string | undefined): void;
}

/**
 * Resolves a call. Throws `killed`, `model_not_found`, `price_unknown`, `permission_denied`, and what a bundle refuses:
 * `request_invalid` and `content_refused`.
 */
export function resolveCall(
  { bundles, catalog }: Knowledge,
  policies: Policies,
  call: CallToResolve,
): ResolvedCall {
  const { key, facts, body } = call;
  const { tenantId } = key;
  const found = bundles.resolve({
    tenantId,
    name: facts.model,
    stickyKey: (header) => stickyKeyOf(call, header),
  });
  switch (found.kind) {
    case "killed":
      throw killedError(found.kill);
    case "unknown":
      throw new PlatformError("model_not_found", `There is no "${facts.model}".`, {
        where: "/model",
        hint:
          found.nearest === undefined
            ? "`faultline bundle list` names the bundles."
            : `Did you mean "${found.nearest}"?`,
      });
    case "plain": {
      const route = resolveRoute(catalog, facts.model, call.prices);
      for (const { target } of route) {
        const kill = bundles.killOf(tenantId, { target });
        if (kill !== undefined) throw killedError(kill);
      }
      return { use: undefined, body, facts, route };
    }
    case "bundle": {
      refuseForeign(key, found.aliasName ?? found.bundle.name);
      call.onBundle(found.bundle, found.aliasName);
      const put = putBundle(found.bundle, policies.of(found.bundle), call);
      const use = { bundle: found.bundle, aliasName: found.aliasName, ...put.use };
      const stickyKey = stickyKeyOf(call, found.stickyHeader);
      const route = routeFor(
        found.bundle,
        { ...call, ...put.request },
        {
          stickyKey,
          killOf: (target) => bundles.killOf(tenantId, { target }),
          admits: admittedTargets(key),
        },
      );
      return { use, route, ...put.request };
    }
  }
}

/** By the header that the alias names; a caller that sends none is drawn anew with every request. */
function stickyKeyOf({ headers, operationId }: CallToResolve, header: string | undefined): string {
  const value = header === undefined ? undefined : headers[header];
  return typeof value === "string" && value !== "" ? value : operationId;
}

function refuseForeign({ terms }: SnapshotKey, name: string): void {
  if (admitsName(terms.bundles, name)) return;
  throw new PlatformError("permission_denied", `This key may not ask for "${name}".`, {
    where: "/model",
    hint: "`faultline key list` shows which bundles it may ask for.",
  });
}

interface PutBundle {
  readonly request: Pick<BundledRequest, "body" | "facts">;
  readonly use: Pick<BundleUse, "policy" | "unused" | "redactedBy">;
}

/** Holds the input rules against the request, then puts the bundle's own into it. */
function putBundle(
  { document }: ActiveBundle,
  policy: CompiledPolicy | undefined,
  call: CallToResolve,
): PutBundle {
  let request: PutBundle["request"] = { body: call.body, facts: call.facts };
  let redactedBy: readonly string[] = [];
  if (policy !== undefined && policy.input.rules.length > 0) {
    const { messages, system, furtherText } = call.facts.places;
    const checked = checkInput(
      policy.input,
      call.body,
      [system, messages, furtherText].filter((place) => place !== undefined),
    );
    redactedBy = checked.redactedBy;
    request = spliced(call, request, checked.splices);
  }
  const { splices, unused } = bundleSplices(document, { ...call, ...request });
  return { request: spliced(call, request, splices), use: { policy, unused, redactedBy } };
}

/** The request with splices in it, read anew: what stands where has changed. */
function spliced(
  { reader }: CallToResolve,
  request: PutBundle["request"],
  splices: Parameters<typeof applySplices>[1],
): PutBundle["request"] {
  if (splices.length === 0) return request;
  const body = applySplices(request.body, splices);
  return { body, facts: reader.read(body) };
}

/**
 * A key that lists bundles was given them with their models. One that lists models alone reaches no other through a bundle,
 * whatever its versions come to name.
 */
export function admittedTargets(key: SnapshotKey): ((target: Target) => boolean) | undefined {
  const { models, bundles } = key.terms;
  if (bundles !== undefined || models === undefined) return undefined;
  return ({ model }) => admitsModel(key, model);
}

type Drawn = Pick<Parameters<typeof routeOf>[1], "stickyKey" | "killOf" | "admits">;

function routeFor(bundle: ActiveBundle, call: CallToResolve, drawn: Drawn): readonly RouteTarget[] {
  const route = routeOf(bundle, {
    ...drawn,
    isPriced: ({ model }) => call.prices.of(model) !== undefined,
    needs: needsOf(call),
    facts: () => ({ request: conditionFacts(call), key: keyFacts(call.key) }),
  });
  switch (route.kind) {
    case "found":
      return route.targets;
    case "killed":
      throw killedError(route.kill);
    case "forbidden":
      throw foreignModel(call.key, route.target.model);
    case "none":
      throw new PlatformError(
        "model_not_found",
        `No target of the bundle ${bundle.name}@${bundle.version} can serve this. ${route.reasons.join(" ")}`,
        { where: "/model" },
      );
  }
}

/** About what a tokenizer makes of a body. */
const bytesPerToken = 4;

function needsOf({ body, facts }: CallToResolve): RequestNeeds {
  // The caller's limit is any number of JSON; conditions count in whole ones.
  const tokens = Math.ceil(body.length / bytesPerToken + (facts.maxTokens ?? 0));
  return {
    tokens: Math.min(Math.max(tokens, 0), Number.MAX_SAFE_INTEGER),
    tools: facts.toolCount > 0,
    vision: facts.imageCount > 0,
    jsonSchema: facts.wantsJsonSchema,
  };
}

/** Headers that carry secrets; no condition needs them. */
const secretHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "x-api-key",
  "api-key",
]);

function conditionFacts(call: CallToResolve): ConditionFacts {
  const { body, facts, headers } = call;
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" && !secretHeaders.has(name)) shown[name] = value;
  }
  return {
    model: facts.model,
    stream: facts.stream,
    user: facts.user ?? "",
    toolCount: facts.toolCount,
    imageCount: facts.imageCount,
    jsonSchema: facts.wantsJsonSchema,
    tokens: needsOf(call).tokens,
    headers: shown,
    metadata: readMetadata(body, facts),
  };
}

function keyFacts({ id, name, role, tenantId }: SnapshotKey): KeyFacts {
  return { id, name, role, tenant: tenantId };
}
