/** What a request asks for, once its body was read. */

import { type BundleUse, resolveCall } from "../bundles/resolve-call.ts";
import { isSampled } from "../observation/captured-content.ts";
import { requestParameters } from "../observation/request-parameters.ts";
import { CallPrices } from "./call-prices.ts";
import { captureMessages, captureSystem } from "./captured-text.ts";
import { checkCounts } from "./input-bounds.ts";
import { requireModel } from "./model-terms.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { RequestFacts } from "./request-reader.ts";
import type { Surface } from "./surface.ts";
import type { CallerHeaders } from "./upstream-request.ts";
import type { DeadlinePlan } from "../dispatch/deadline-plan.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";

export interface Asked {
  /** As it is sent on: of a bundle with what the bundle puts in. Empty once it will not be sent again. */
  body: Buffer;
  readonly facts: RequestFacts;
  /** The targets that may serve it, in their order. */
  readonly route: readonly RouteTarget[];
  /** The bundle whose name was asked for. */
  readonly use: BundleUse | undefined;
  readonly deadlines: DeadlinePlan;
  readonly prices: CallPrices;
  /** Whether what is said is kept in the span. */
  readonly captures: boolean;
}

interface Caller {
  readonly surface: Surface;
  readonly key: SnapshotKey;
  readonly headers: CallerHeaders;
  readonly deadlines: DeadlinePlan;
  readonly record: OperationRecord;
}

/** Reads a body, and notes its facts in the record. Throws `PlatformError` for what cannot be served. */
export function readRequest(
  { requestReaders, knowledge, policies, clock }: GatewayState,
  caller: Caller,
  given: Buffer,
): Asked {
  const { surface, key, headers, record, deadlines } = caller;
  const { operationId } = record;
  const reader = requestReaders.of(surface);
  const asked = reader.read(given);
  record.requestModel = asked.model;
  noteParameters(record, asked);
  checkCounts(asked, knowledge.settings);
  const prices = new CallPrices(knowledge, key, clock.nowMs());
  const { body, facts, route, use } = resolveCall(knowledge, policies, {
    surface,
    key,
    headers,
    body: given,
    facts: asked,
    reader,
    operationId,
    prices,
    // Also a request that the bundle refuses is one of its.
    onBundle: ({ name, version, hash }, aliasName) => {
      record.bundleHash = hash;
      record.bundleName = `${name}@${version}`;
      record.aliasName = aliasName;
    },
  });
  // A bundle that a key may ask for brings its models with it.
  if (use === undefined) for (const { target } of route) requireModel(key, target.model);
  else record.redactedBy = use.redactedBy;
  if (facts !== asked) noteParameters(record, facts);
  const limits = use?.bundle.document.deadlines;
  record.parameters = requestParameters(facts, body);
  const ratio = knowledge.settings.captureRatios[key.tenantId] ?? 1;
  const captures =
    knowledge.capturingTenants.has(key.tenantId) && isSampled(record.trace.traceId, ratio);
  const { messages, system } = facts.places;
  if (captures && messages !== undefined) record.inputMessages = captureMessages(body, messages);
  if (captures && system !== undefined) record.systemInstructions = captureSystem(body, system);
  return {
    body,
    facts,
    route,
    use,
    prices,
    captures,
    deadlines: limits === undefined ? deadlines : deadlines.within(limits),
  };
}

function noteParameters(record: OperationRecord, facts: RequestFacts): void {
  record.stream = facts.stream;
  record.maxTokens = finite(facts.maxTokens);
  record.temperature = finite(facts.temperature);
  record.topP = finite(facts.topP);
}

/** JSON writes a number such as `1e999`, and what reads it has no other word for it than infinity. */
function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
