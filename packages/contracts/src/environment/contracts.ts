/** The contracts about environments that should be alike. */

import type { Contract } from "../model/contract.ts";

export const environmentContracts: readonly Contract[] = [];
