/** What the supervisor and its workers say to one another over IPC. Both sides run the same release. */

import type { LeaseDown, LeaseUp } from "../admission/lease-messages.ts";
import type { CreditStart } from "../credit/credit-desk.ts";
import type { CreditDown, CreditUp } from "../credit/credit-messages.ts";
import type { MetricData } from "../observation/metric-data.ts";
import type { GatewaySnapshot } from "../snapshot.ts";

export interface WorkerStart {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  readonly controlSocketPath: string;
  /** Which of how many processes it is: decides what it owns. */
  readonly index: number;
  readonly count: number;
  /** Holds the journals of the gateway's processes. */
  readonly journalFolder: string;
  /** A private path for the simulated provider of this worker. */
  readonly simulatedSocketPath: string;
  readonly drainMs: number;
  readonly credit: CreditStart;
  readonly snapshot: GatewaySnapshot;
}

export type ToWorker =
  | { readonly kind: "start"; readonly start: WorkerStart }
  | { readonly kind: "snapshot"; readonly snapshot: GatewaySnapshot }
  | { readonly kind: "operations-stored"; readonly batchId: number }
  /** The batch could not be stored; the worker keeps it and sends it again. */
  | { readonly kind: "operations-refused"; readonly batchId: number }
  | { readonly kind: "limits"; readonly message: LeaseDown }
  | { readonly kind: "credit"; readonly messages: readonly CreditDown[] }
  | { readonly kind: "report-metrics"; readonly requestId: number }
  /** The control process is there. */
  | { readonly kind: "alive" }
  | { readonly kind: "drain" };

export type FromWorker =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "start-failed"; readonly code: string; readonly message: string }
  | { readonly kind: "snapshot-applied"; readonly version: number }
  | { readonly kind: "limits"; readonly message: LeaseUp }
  | { readonly kind: "credit"; readonly messages: readonly CreditUp[] }
  /** How many journals cannot be used now. */
  | { readonly kind: "journals-failed"; readonly count: number }
  | {
      readonly kind: "operations";
      readonly batchId: number;
      /** Operation records as texts. */
      readonly records: readonly string[];
    }
  | {
      readonly kind: "metrics";
      readonly requestId: number;
      readonly metrics: readonly MetricData[];
    }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
