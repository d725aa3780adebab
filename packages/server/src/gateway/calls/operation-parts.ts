/** What an operation is made from: who asks, how, and what is known of it before its body is read. */

import type { ServerResponse } from "node:http";

import type { DeadlinePlan } from "../dispatch/deadline-plan.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { ReplyRecorder } from "../streams/reply-recorder.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { Surface } from "./surface.ts";
import type { CallerHeaders } from "./upstream-request.ts";

export interface OperationParts {
  readonly surface: Surface;
  readonly key: SnapshotKey;
  readonly clientAddress: string;
  readonly headers: CallerHeaders;
  readonly response: ServerResponse;
  readonly record: OperationRecord;
  readonly deadlines: DeadlinePlan;
  /** How long it waited for a place in this process. */
  readonly waitedMs: number;
  /** Monotonic time at which the request arrived. */
  readonly arrivedMs: number;
  /** Of a call with an `Idempotency-Key`: keeps its reply for all who send the key. */
  readonly recorder: ReplyRecorder | undefined;
  /** Called once a call that its caller may have left is over. */
  readonly onReleased: () => void;
}
