/** The error of what a kill switch stops. */

import type { SnapshotKill } from "#catalog/index.ts";
import { PlatformError } from "@faultline/protocol";

/** Says what was killed and who can revive it; why it was killed is for the tenant's own people, in their list. */
export function killedError({
  kind,
  name,
  reason,
  killedAt,
  killedBy,
}: SnapshotKill): PlatformError {
  return new PlatformError("killed", `The ${kind} "${name}" is stopped by a kill switch.`, {
    hint: `Anybody with a key of role engineer or admin of the tenant revives it: faultline bundle revive ${kind} ${name}.`,
    context: { reason, killedAt, killedBy },
  });
}
