/** Says failures of writing to the disk in the platform's words, where it has a word for them. */

import { PlatformError } from "@faultline/protocol";

const fullCodes: readonly unknown[] = ["ENOSPC", "EDQUOT"];

/** `storage_full` for a disk or a quota without space; any other error passes unchanged. */
export function mapDiskError(error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && fullCodes.includes(error.code))) return error;
  return new PlatformError("storage_full", "The disk of the data folder is full.", {
    cause: error,
    hint: "Free space on it; nothing needs to be started anew.",
  });
}
