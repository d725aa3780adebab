/** What a worker and the control process say to one another about slices of limits. Each direction keeps its order. */

import type { TenantId } from "@faultline/protocol";

import type { LayerName } from "./layer.ts";
import type { LimitRefusal } from "./limit-refusal.ts";

/** Asks for what is idle in a slice. Recalls of one slice are numbered, and an answer to one answers all before it. */
export interface SliceRecall {
  readonly id: string;
  readonly number: number;
}

/** One call that its worker could not decide by itself: for each layer one request, one place, and these tokens. */
export interface LeaseAsk {
  readonly askId: number;
  readonly tenantId: TenantId;
  readonly tokens: number;
  readonly layers: readonly LayerName[];
}

/** What became of a slice since the last report. Negative tokens are such as were reported used, and were not. */
export interface SliceReport {
  readonly id: string;
  readonly requestsUsed: number;
  readonly requestsReturned: number;
  readonly tokensUsed: number;
  readonly tokensReturned: number;
  readonly permitsReturned: number;
  /** Tokens of calls under way that were reported used, and may come back when those end. */
  readonly tokensRefundable: number;
}

export interface LeaseUp {
  readonly asks: readonly LeaseAsk[];
  /** Taken into account before the asks. */
  readonly reports: readonly SliceReport[];
  /** Recalls that are answered: what was idle is in the reports. */
  readonly recalled: readonly SliceRecall[];
  /** Client addresses whose keys failed, once for each failure. */
  readonly failedAddresses: readonly string[];
}

/** What the control process had left of a layer; `undefined` where nothing is limited. */
export interface LayerLevels {
  readonly requests: number | undefined;
  readonly tokens: number | undefined;
}

/** Units of one layer for a worker: what the call needs, and a reserve. `undefined` where nothing is limited. */
export interface LayerGrant {
  /** Which layer of the ask. */
  readonly layerIndex: number;
  /** Where they are counted; of another id than the layer's when its tenant has too many of them. */
  readonly id: string;
  readonly requests: number | undefined;
  readonly tokens: number | undefined;
  readonly permits: number | undefined;
  readonly levels: LayerLevels;
}

export type LeaseAnswer =
  | { readonly askId: number; readonly kind: "granted"; readonly grants: readonly LayerGrant[] }
  | { readonly askId: number; readonly kind: "refused"; readonly refusal: LimitRefusal };

export interface LeaseDown {
  /** Whether it follows a message of the worker, which may send the next one now. */
  readonly acknowledges: boolean;
  readonly answers: readonly LeaseAnswer[];
  /** Slices whose idle units must come back, and whatever becomes idle in them from now on. */
  readonly recalls: readonly SliceRecall[];
  /** Slices that may keep idle units again. */
  readonly resumes: readonly string[];
  readonly levels: readonly { readonly id: string; readonly levels: LayerLevels }[];
  readonly blocked: readonly { readonly address: string; readonly durationMs: number }[];
}
