/** The contracts about what leads to pods: services, endpoints, ingresses, network policies, names. */

import type { Contract } from "../model/contract.ts";

export const routingContracts: readonly Contract[] = [];
