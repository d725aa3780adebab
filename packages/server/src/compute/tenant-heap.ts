/** Tenants in the order in which they are served: who has the least weighted dominant share comes first. */

import { compareJobs, compareText, type JobRecord } from "./job-record.ts";
import type { TenantState } from "./tenant-state.ts";

interface Entry {
  readonly tenant: TenantState;
  /** As it was when the tenant was put in; it changes only while the tenant is out. */
  readonly weightedShare: number;
  readonly foremost: JobRecord;
}

export class TenantHeap {
  readonly #entries: Entry[] = [];

  /** Puts a tenant in with the job that it would start next; without one it is left out. */
  push(tenant: TenantState, foremost: JobRecord | undefined): void {
    if (foremost === undefined) return;
    const entry = { tenant, weightedShare: tenant.weightedShare, foremost };
    const entries = this.#entries;
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = entries[parentAt];
      if (parent === undefined || compareEntries(parent, entry) <= 0) break;
      entries[at] = parent;
      at = parentAt;
    }
    entries[at] = entry;
  }

  /** Takes the tenant out that is to be served next. */
  pop(): TenantState | undefined {
    const entries = this.#entries;
    const [first] = entries;
    const last = entries.pop();
    if (first === undefined || last === undefined || first === last) return first?.tenant;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = entries[childAt];
      const sibling = entries[childAt + 1];
      if (sibling !== undefined && child !== undefined && compareEntries(sibling, child) < 0) {
        child = sibling;
        childAt += 1;
      }
      if (child === undefined || compareEntries(last, child) <= 0) break;
      entries[at] = child;
      at = childAt;
    }
    entries[at] = last;
    return first.tenant;
  }
}

function compareEntries(left: Entry, right: Entry): number {
  return (
    left.weightedShare - right.weightedShare ||
    compareJobs(left.foremost, right.foremost) ||
    compareText(left.tenant.id, right.tenant.id)
  );
}
