/** The contracts about how many calls an operation makes, and how much they bring. */

import type { Contract } from "../model/contract.ts";
import { repeatedQuery } from "./repeated-query.ts";

export const fanOutContracts: readonly Contract[] = [repeatedQuery];
