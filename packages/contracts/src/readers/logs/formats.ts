/** The formats of logs. Plain text is tried last of all, because nearly everything is text. */

import type { EvidenceFormat } from "../format.ts";

export const logFormats: readonly EvidenceFormat[] = [];
