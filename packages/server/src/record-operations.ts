/** Takes finished operations from the gateway processes: their spans go to the store, their keys were used. */

import type { OperationBatch } from "#gateway/index.ts";
import type { Identity } from "#identity/index.ts";
import type { Telemetry } from "#telemetry/index.ts";
import type { KeyId } from "@faultline/protocol";

export interface OperationSinks {
  readonly telemetry: Pick<Telemetry, "ingestSpans">;
  readonly identity: Pick<Identity, "noteUse">;
  readonly signal: AbortSignal;
}

/** Resolves once every span of the batch is durable. */
export async function recordOperations(
  batch: OperationBatch,
  { telemetry, identity, signal }: OperationSinks,
): Promise<void> {
  await Promise.all(
    batch.map(({ tenantId, spans }) => telemetry.ingestSpans(tenantId, spans, signal)),
  );
  for (const { tenantId, spans } of batch) {
    const keyIds = new Set(spans.map((span) => span.attributes["faultline.key.id"]));
    for (const keyId of keyIds) {
      // The gateway writes this attribute from the key that it authenticated.
      if (typeof keyId === "string") identity.noteUse({ id: keyId as KeyId, tenantId });
    }
  }
}
