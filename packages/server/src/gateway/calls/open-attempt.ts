/** One exchange with a target, before it begins, and the target in the record of its operation. */

import type { Target } from "#catalog/index.ts";

import type { DeadlinePlan } from "../dispatch/deadline-plan.ts";
import { Attempt, type AttemptOwner } from "./attempt.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { ReplyReader } from "./reply-reader.ts";
import type { RequestPlan } from "./upstream-request.ts";

interface AttemptToOpen {
  readonly target: Target;
  readonly plan: RequestPlan;
  readonly stream: boolean;
  readonly reader: ReplyReader;
  readonly deadlines: DeadlinePlan;
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes an attempt that was not sent. */
export function openAttempt(
  { target, plan, stream, reader, deadlines, headers }: AttemptToOpen,
  owner: AttemptOwner,
): Attempt {
  const timeouts = deadlines.attempt(owner.clock.monotonicMs());
  return new Attempt(
    {
      target,
      dispatcher: plan.upstream.dispatcher,
      request: plan.request,
      stream,
      reader,
      deadlines: {
        connectMs: timeouts.connectMs,
        firstTokenMs: timeouts.firstTokenMs,
        stallMs: timeouts.interTokenMs,
        totalMs: deadlines.timeouts.totalMs,
        totalAtMs: deadlines.endMs,
      },
      ownHeaders: plan.ownHeaders === undefined ? headers : { ...headers, ...plan.ownHeaders },
    },
    owner,
  );
}

/** Writes down who is asked. */
export function noteTarget(
  record: OperationRecord,
  { model, provider }: Target,
  { upstream, translation }: RequestPlan,
): void {
  record.provider = provider.name;
  record.target = model.id;
  record.simulated = provider.kind === "simulated";
  record.serverAddress = upstream.address;
  record.serverPort = upstream.port;
  record.translation = translation;
}
