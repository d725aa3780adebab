/** The schema of the section `regions` of `faultline.yaml`. */

import { tenantIdPattern } from "@faultline/protocol";
import { Type } from "typebox";

import { closed, group, text, whole } from "./schema-fields.ts";

const regionName = (description: string) =>
  Type.String({ pattern: "^[a-z][a-z0-9-]{0,31}$", description });

export const RegionPeerSettings = Type.Object(
  {
    name: regionName("The other region, as it names itself."),
    url: text({
      description: "Where it is: https://eu.faultline.example.org, for example. Needed to ask it.",
      maxLength: 2_048,
    }),
    keyEnvironment: Type.String({
      pattern: "^[A-Z][A-Z0-9_]{0,63}$",
      description:
        "The environment variable that holds the key of the two regions: at least 32 characters, the same on both sides.",
    }),
  },
  closed,
);

export const RegionTenantSettings = Type.Object(
  {
    id: Type.String({ pattern: tenantIdPattern, description: "A tenant whose account is shared." }),
    home: regionName("The region that writes its ledger; the same in every region."),
  },
  closed,
);

/** The section `regions`. */
export const RegionSettings = group({
  name: text({
    description: "How this region is named; without it, accounts are not shared.",
    pattern: "^[a-z][a-z0-9-]{0,31}$",
    maxLength: 32,
  }),
  keepMicros: whole({
    minimum: 1,
    maximum: 1_000_000_000_000,
    default: 10_000_000,
    description:
      "Of each account that is at home elsewhere, so many millionths of a US dollar are kept here: what a region can spend while it is cut off.",
  }),
  intervalMs: whole({
    minimum: 100,
    maximum: 60_000,
    default: 1_000,
    description: "How often a region speaks with the homes of accounts.",
  }),
  peers: Type.Optional(
    Type.Array(RegionPeerSettings, { maxItems: 32, description: "The other regions." }),
  ),
  tenants: Type.Optional(
    Type.Array(RegionTenantSettings, {
      maxItems: 10_000,
      description: "Tenants whose accounts are shared; each of them pays for its calls.",
    }),
  ),
});
