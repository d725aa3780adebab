/** The contracts about what leads to pods: services, endpoints, ingresses, network policies, names. */

import type { Contract } from "../model/contract.ts";
import { endpointsReady } from "./endpoints-ready.ts";
import { ingressBackend } from "./ingress-backend.ts";
import { nameResolution } from "./name-resolution.ts";
import { networkPolicy } from "./network-policy.ts";
import { servicePorts } from "./service-ports.ts";
import { serviceSelectsPods } from "./service-selects-pods.ts";

export const routingContracts: readonly Contract[] = [
  serviceSelectsPods,
  servicePorts,
  endpointsReady,
  ingressBackend,
  networkPolicy,
  nameResolution,
];
