/** The formats of descriptions of an environment. */

import type { EvidenceFormat } from "../format.ts";

export const environmentFormats: readonly EvidenceFormat[] = [];
