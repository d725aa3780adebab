/** The schema of the section `webhooks` of `faultline.yaml`. */

import { Type } from "typebox";

import { choice, closed, group } from "./schema-fields.ts";

/** A key that secrets of webhooks are sealed with. */
export const WebhookKeySettings = Type.Object(
  {
    id: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]{0,15}$",
      description: "Names the key in what it sealed; a new key takes a new id.",
    }),
    keyEnvironment: Type.String({
      pattern: "^[A-Z][A-Z0-9_]{0,63}$",
      description: "The environment variable that holds 32 random bytes in base64.",
    }),
  },
  closed,
);

/** The section `webhooks`. */
export const WebhookSettings = group({
  privateAddresses: choice(["refuse", "allow"], {
    default: "refuse",
    description:
      "Whether webhooks may lead to this machine and its neighbours (loopback, link-local and private addresses), and go without TLS.",
  }),
  secretKeys: Type.Optional(
    Type.Array(WebhookKeySettings, {
      maxItems: 8,
      description:
        "Keys that the secrets of webhooks are sealed with in the database: the first seals, the others open what they sealed. Without any they are kept as they are.",
    }),
  ),
});
