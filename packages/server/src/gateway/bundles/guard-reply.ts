/** What a bundle and the kill switches say of a call that is under way. */

import type { Target } from "#catalog/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { OperationRecord } from "../calls/operation-record.ts";
import type { ReplySink } from "../calls/reply-sink.ts";
import type { Surface } from "../calls/surface.ts";
import { policyLimits } from "../policy/limits.ts";
import { outputShapeOf } from "../policy/output-shapes.ts";
import { PolicySink } from "../policy/policy-sink.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { Knowledge } from "../workers/gateway-state.ts";
import { killedError } from "./killed.ts";
import type { BundleUse } from "./resolve-call.ts";

/** Throws `killed` when a switch has come while the call waited. */
export function refuseKilled(
  { bundles }: Knowledge,
  { tenantId }: SnapshotKey,
  call: { readonly target: Target; readonly use: BundleUse | undefined },
): void {
  const kill = bundles.killOf(tenantId, { target: call.target, alias: call.use?.aliasName });
  if (kill !== undefined) throw killedError(kill);
}

/** Puts the output policy of a bundle between a reply and its caller; without one it gives the sink itself. */
export function guardReply(
  sink: ReplySink,
  use: BundleUse | undefined,
  {
    call: { surface, record },
    onRefused,
  }: {
    readonly call: { readonly surface: Surface; readonly record: OperationRecord };
    /** The policy has ended the reply; what the provider says further is nobody's. */
    readonly onRefused: () => void;
  },
): ReplySink {
  const policy = use?.policy;
  const shape = policy?.watchesOutput === true ? outputShapeOf(surface.name) : undefined;
  if (policy === undefined || shape === undefined) return sink;
  return new PolicySink(sink, {
    policy,
    shape,
    onRedacted: (rule) => {
      record.redactedBy = [...record.redactedBy, rule];
    },
    onRefused: (rule) => {
      record.refusedBy = rule;
      onRefused();
    },
  });
}

/** The error of a plain reply that a policy cannot be held against. */
export function replyTooLarge(): PlatformError {
  return new PlatformError(
    "content_refused",
    `The reply is larger than the ${policyLimits.plainReplyBytesMax} bytes that the safety policy of its bundle can be held against.`,
    { hint: "Ask for a stream." },
  );
}

/** Whether the streams of a bundle outlive their connection, whatever the caller asks for. */
export function isDurable(use: BundleUse | undefined): boolean {
  return use?.bundle.document.stream?.durable === true;
}

/** Headers of ours that a reply of a bundle has. */
export function bundleHeaders(
  hash: string,
  use: BundleUse | undefined,
): Readonly<Record<string, string>> {
  if (use === undefined || use.unused.length === 0) return { "x-faultline-bundle": hash };
  return { "x-faultline-bundle": hash, "x-faultline-bundle-unused": use.unused.join(", ") };
}
