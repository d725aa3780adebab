/** What a request asks for, once its body was read. */

import { captureMessages } from "./captured-text.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { RequestFacts } from "./request-reader.ts";
import { resolveRoute } from "./resolve-route.ts";
import type { Surface } from "./surface.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";

export interface Asked {
  readonly body: Buffer;
  readonly facts: RequestFacts;
  /** The targets that may serve it, in their order. */
  readonly route: readonly RouteTarget[];
  /** Whether what is said is kept in the span. */
  readonly captures: boolean;
}

interface Caller {
  readonly surface: Surface;
  readonly key: SnapshotKey;
  readonly record: OperationRecord;
}

/** Reads a body, and notes its facts in the record. Throws `PlatformError` for what cannot be served. */
export function readRequest(
  { requestReaders, knowledge }: GatewayState,
  { surface, key, record }: Caller,
  body: Buffer,
): Asked {
  const facts = requestReaders.of(surface).read(body);
  record.requestModel = facts.model;
  record.stream = facts.stream;
  record.maxTokens = facts.maxTokens;
  record.temperature = facts.temperature;
  record.topP = facts.topP;
  const route = resolveRoute(knowledge.catalog, facts.model);
  const captures = knowledge.capturingTenants.has(key.tenantId);
  const { messages } = facts.places;
  if (captures && messages !== undefined) record.inputMessages = captureMessages(body, messages);
  return { body, facts, route, captures };
}
