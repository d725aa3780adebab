/** The attempts of one operation, before the first of them. */

import { AttemptLoop, type AttemptLoopOwner } from "../dispatch/attempt-loop.ts";
import type { DeadlinePlan } from "../dispatch/deadline-plan.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { RequestFacts } from "./request-reader.ts";

interface LoopRequest {
  readonly key: SnapshotKey;
  readonly deadlines: DeadlinePlan;
  readonly waitedMs: number;
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly route: readonly RouteTarget[];
  readonly limited: readonly RouteTarget[];
}

/** About what a tokenizer makes of a body; the sharing of places needs no more. */
const bytesPerToken = 4;

/** Makes the attempts of a request, none of which has begun. */
export function openLoop(
  state: GatewayState,
  { key, deadlines, waitedMs, body, facts, route, limited }: LoopRequest,
  owner: AttemptLoopOwner,
): AttemptLoop {
  const { clock, targets, random, knowledge } = state;
  const { retries, tenantWeights } = knowledge.settings.dispatch;
  return new AttemptLoop(
    {
      clock,
      targets,
      random,
      retries,
      plan: deadlines,
      route,
      limited,
      request: {
        tenant: key.tenantId,
        weight: tenantWeights[key.tenantId] ?? 1,
        priority: key.terms.priority ?? "standard",
        cost: Math.ceil(body.length / bytesPerToken) + (facts.maxTokens ?? 0),
      },
      kind: facts.stream ? "stream" : "plain",
      waitedMs,
    },
    owner,
  );
}
