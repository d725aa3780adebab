/** The contracts about what tenants pay for and what they get. */

import type { Contract } from "../model/contract.ts";
import { balanceMatchesEntries } from "./balance-matches-entries.ts";
import { chargedOnce } from "./charged-once.ts";
import { costMatchesInvoice } from "./cost-matches-invoice.ts";
import { holdsEnd } from "./holds-end.ts";
import { leaseMatchesJournal } from "./lease-matches-journal.ts";
import { noOverspend } from "./no-overspend.ts";
import { usageCompleted } from "./usage-completed.ts";

export const ledgerContracts: readonly Contract[] = [
  balanceMatchesEntries,
  noOverspend,
  chargedOnce,
  holdsEnd,
  usageCompleted,
  leaseMatchesJournal,
  costMatchesInvoice,
];
