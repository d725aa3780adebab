/** The contracts of environments. */

import type { Contract } from "../model/contract.ts";
import { sameEnvironment } from "./same-environment.ts";

export const environmentContracts: readonly Contract[] = [sameEnvironment];
