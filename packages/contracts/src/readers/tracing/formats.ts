/** The formats of tracers other than OpenTelemetry. */

import type { EvidenceFormat } from "../format.ts";

export const tracingFormats: readonly EvidenceFormat[] = [];
