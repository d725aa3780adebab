/** The schema of the section `compute` of `faultline.yaml`. */

import { tenantIdPattern } from "@faultline/protocol";
import { Type } from "typebox";

import { ValidFrom } from "./price-schema.ts";
import { choice, closed, group, whole } from "./schema-fields.ts";

const computeName = (description: string) =>
  Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$", description });

export const ComputeNodeSettings = Type.Object(
  {
    id: computeName("Names the node; no two have the same."),
    region: computeName("Where it stands; the members of a job never stand in two regions."),
    deviceKind: computeName(
      "What its devices are, as jobs and prices name them; `h100`, for example.",
    ),
    deviceCount: Type.Integer({ minimum: 1, maximum: 1_024, description: "Its devices." }),
    cpuCores: whole({
      minimum: 0,
      maximum: 100_000,
      default: 0,
      description: "Cores that jobs may ask for beside devices.",
    }),
    memoryGigabytes: whole({
      minimum: 0,
      maximum: 1_000_000,
      default: 0,
      description: "Memory that jobs may ask for beside devices.",
    }),
  },
  closed,
);

export const ComputeQuotaSettings = Type.Object(
  {
    tenant: Type.String({ pattern: tenantIdPattern, description: "The tenant." }),
    deviceKind: computeName("The kind of device."),
    deviceCountMax: Type.Integer({
      minimum: 0,
      maximum: 10_000_000,
      description: "Devices of this kind that its jobs hold at once.",
    }),
  },
  closed,
);

const devicePrice = {
  microsPerDeviceSecond: Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    description: "What one device costs for one second, in millionths of a US dollar.",
  }),
  priorityPercent: whole({
    minimum: 0,
    maximum: 1_000,
    default: 0,
    description: "By so many percent of the price each priority above 0 costs more.",
  }),
};

export const ComputePriceSettings = Type.Object(
  {
    deviceKind: computeName("The kind of device."),
    ...devicePrice,
    priceChanges: Type.Optional(
      Type.Array(Type.Object({ validFrom: ValidFrom, ...devicePrice }, closed), {
        maxItems: 100,
        description: "Prices that follow, each from a moment on.",
      }),
    ),
  },
  closed,
);

/** The section `compute`. */
export const ComputeSettings = group({
  ageingMinutes: whole({
    minimum: 1,
    maximum: 43_200,
    default: 60,
    description: "So much waiting is worth one priority of a job.",
  }),
  backFill: choice(["on", "off"], {
    default: "on",
    description:
      "`on` starts jobs past the first that waits for capacity, where that does not delay it.",
  }),
  headDelaySecondsMax: whole({
    minimum: 0,
    maximum: 86_400,
    default: 0,
    description: "By so much back-fill may delay the first that waits.",
  }),
  startSecondsMax: whole({
    minimum: 1,
    maximum: 43_200,
    default: 300,
    description: "A reservation whose work has not started by then expires.",
  }),
  intervalSeconds: whole({
    minimum: 1,
    maximum: 3_600,
    default: 60,
    description: "Use is charged by intervals of so much.",
  }),
  silenceSecondsMax: whole({
    minimum: 1,
    maximum: 43_200,
    default: 180,
    description: "Work without a heartbeat for longer is lost, and its reservation ends.",
  }),
  nodes: Type.Optional(
    Type.Array(ComputeNodeSettings, { maxItems: 10_000, description: "What jobs run on." }),
  ),
  quotas: Type.Optional(
    Type.Array(ComputeQuotaSettings, {
      maxItems: 10_000,
      description: "What tenants may hold at once; what is not named is not limited.",
    }),
  ),
  prices: Type.Optional(
    Type.Array(ComputePriceSettings, {
      maxItems: 1_000,
      description: "What kinds of devices cost; jobs on a kind without a price are refused.",
    }),
  ),
});
