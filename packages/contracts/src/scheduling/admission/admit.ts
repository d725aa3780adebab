/** Whether pods may be made: limit ranges first, then quotas, one pod after another. */

import { addTo, type Amounts } from "../requests.ts";
import type { Draft } from "./draft.ts";
import { type LimitRange, type RangeFault, rangeFaults, withDefaults } from "./limit-range.ts";
import { counts, type Quota, type QuotaFault, quotaFault, usageOf } from "./quota.ts";

/** What admission would do, as far as this contract looks. */
export interface Admission {
  /** The draft with defaults. */
  readonly draft: Draft;
  readonly rangeFaults: readonly RangeFault[];
  /** What refuses the first pod that is refused; none when all are let in. */
  readonly quotaFaults: readonly QuotaFault[];
  /** How many of the pods are let in. */
  readonly admittedCount: number;
}

/** The rules of a namespace. */
export interface Rules {
  readonly ranges: readonly LimitRange[];
  /** Quotas with what is used of each. */
  readonly quotas: readonly { readonly quota: Quota; readonly used: Amounts }[];
}

/** Pods that are tried one by one; beyond it the quotient of room and usage would say no more. */
const podCountMax = 10_000;

/** Tries to make `count` pods of one draft. */
export function admit(stated: Draft, count: number, { ranges, quotas }: Rules): Admission {
  const draft = withDefaults(stated, ranges);
  const faults = rangeFaults(draft, ranges);
  if (faults.length > 0) return { draft, rangeFaults: faults, quotaFaults: [], admittedCount: 0 };
  const usage = usageOf(draft);
  const totals = quotas.map(({ used }) => new Map(used));
  for (let made = 0; made < Math.min(count, podCountMax); made += 1) {
    const refused = quotas.flatMap(({ quota }, index): QuotaFault[] => {
      const fault = quotaFault(quota, draft, totals[index] ?? new Map());
      return fault === undefined ? [] : [fault];
    });
    if (refused.length > 0)
      return { draft, rangeFaults: [], quotaFaults: refused, admittedCount: made };
    for (const [index, { quota }] of quotas.entries()) {
      if (counts(quota, draft)) addTo(totals[index] ?? new Map(), usage);
    }
  }
  return { draft, rangeFaults: [], quotaFaults: [], admittedCount: count };
}
