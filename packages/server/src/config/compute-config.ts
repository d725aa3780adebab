/** What the configuration says of compute. */

import type { TenantId } from "@faultline/protocol";

export interface ComputeConfig {
  /** So much waiting is worth one priority. */
  readonly ageingMs: number;
  readonly backFill: boolean;
  readonly headDelayMsMax: number;
  readonly startMsMax: number;
  readonly intervalMs: number;
  readonly silenceMsMax: number;
  readonly nodes: readonly {
    readonly id: string;
    readonly region: string;
    readonly deviceKind: string;
    readonly deviceCount: number;
    readonly cpuCores: number;
    readonly memoryGigabytes: number;
  }[];
  readonly quotas: readonly {
    readonly tenantId: TenantId;
    readonly deviceKind: string;
    readonly deviceCountMax: number;
  }[];
  readonly prices: readonly {
    readonly deviceKind: string;
    readonly microsPerDeviceSecond: number;
    readonly priorityPercent: number;
    /** Prices that follow, each from a moment on. */
    readonly changes: readonly {
      readonly validFromMs: number;
      readonly microsPerDeviceSecond: number;
      readonly priorityPercent: number;
    }[];
  }[];
}
