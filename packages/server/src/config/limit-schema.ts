/** The schema of the section `limits` of `faultline.yaml`. */

import { tenantIdPattern } from "@faultline/protocol";
import { type Static, Type } from "typebox";

import { defaultLimits } from "./limits-config.ts";
import { closed, group, whole } from "./schema-fields.ts";

/** The three limits of a layer; what is absent is not limited. */
const layerFields = {
  requestsPerMinute: whole({
    minimum: 1,
    maximum: 1_000_000_000,
    description: "Calls in a minute; a burst may use a minute's worth at once.",
  }),
  tokensPerMinute: whole({
    minimum: 1,
    maximum: 1_000_000_000_000,
    description: "Tokens in a minute: input, and output as far as a call may go.",
  }),
  concurrencyMax: whole({
    minimum: 1,
    maximum: 1_000_000,
    description: "Calls under way at once, on all processes together.",
  }),
};

const LayerSettingsSchema = Type.Object(layerFields, closed);
export type LayerSettings = Static<typeof LayerSettingsSchema>;

export const NamedLimitSettings = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 256,
      description: "A whole name, or the start of names and `*`.",
    }),
    ...layerFields,
  },
  closed,
);

export const TenantLimitSettings = Type.Object(
  {
    id: Type.String({ pattern: tenantIdPattern, description: "The tenant." }),
    ...layerFields,
    user: group(layerFields),
  },
  closed,
);

/** The section `limits`. */
export const LimitSettings = group({
  key: group(layerFields),
  user: group(layerFields),
  tenant: group(layerFields),
  clientAddress: group(layerFields),
  failedKeys: group({
    countMax: whole({
      minimum: 1,
      maximum: 1_000_000,
      default: defaultLimits.failedKeys.countMax,
      description: "Keys that may fail from one client address; then its calls are refused.",
    }),
    windowSeconds: whole({
      minimum: 1,
      maximum: 86_400,
      default: defaultLimits.failedKeys.windowMs / 1_000,
      description: "How long failed keys are counted, and how long the address is refused.",
    }),
  }),
  models: Type.Optional(
    Type.Array(NamedLimitSettings, {
      maxItems: 1_000,
      description: "Limits of each model, as `provider/model`; the first that fits counts.",
    }),
  ),
  providers: Type.Optional(
    Type.Array(NamedLimitSettings, {
      maxItems: 1_000,
      description: "Limits of each provider; the first that fits counts.",
    }),
  ),
  tenants: Type.Optional(
    Type.Array(TenantLimitSettings, {
      maxItems: 10_000,
      description: "Tenants whose limits differ, and those of their users.",
    }),
  ),
});
