/** The contracts about pods that have a node and do not run as they should. */

import type { Contract } from "../model/contract.ts";
import { containerStaysUp } from "./container-stays-up.ts";

export const workloadContracts: readonly Contract[] = [containerStaysUp];
