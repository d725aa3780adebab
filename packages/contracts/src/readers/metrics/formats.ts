/** The formats of metrics. */

import type { EvidenceFormat } from "../format.ts";

export const metricFormats: readonly EvidenceFormat[] = [];
