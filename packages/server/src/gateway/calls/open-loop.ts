/** The attempts of one operation, before the first of them. */

import { AttemptLoop, type AttemptLoopOwner } from "../dispatch/attempt-loop.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { OperationParts } from "./operation-parts.ts";
import type { Asked } from "./read-request.ts";

interface LoopRequest {
  readonly parts: Pick<OperationParts, "key" | "waitedMs">;
  readonly asked: Pick<Asked, "deadlines" | "body" | "facts" | "route">;
  readonly limited: readonly RouteTarget[];
}

/** About what a tokenizer makes of a body; the sharing of places needs no more. */
const bytesPerToken = 4;

/** Makes the attempts of a request, none of which has begun. */
export function openLoop(
  state: GatewayState,
  { parts, asked, limited }: LoopRequest,
  owner: AttemptLoopOwner,
): AttemptLoop {
  const { clock, targets, random, knowledge } = state;
  const { key, waitedMs } = parts;
  const { deadlines, body, facts, route } = asked;
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
