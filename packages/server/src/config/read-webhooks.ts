/** The section `webhooks` of the configuration. */

import { PlatformError } from "@faultline/protocol";

import type { ConfigPath } from "./check-value.ts";
import type { Config } from "./config.ts";
import type { ConfigFile } from "./file-schema.ts";
import type { Environment } from "./providers.ts";

const keyBytes = 32;

interface WebhookSources {
  readonly text: (name: string) => string;
  readonly file: ConfigFile["webhooks"];
  readonly environment: Environment;
  readonly originOf: (at: ConfigPath) => string;
}

/** Throws `configuration_invalid` for a key that is not set, is none, or whose id stands twice. */
export function readWebhooks(sources: WebhookSources): Config["webhooks"] {
  const { text, file, environment, originOf } = sources;
  const seen = new Set<string>();
  const secretKeys = (file?.secretKeys ?? []).map(({ id, keyEnvironment }, index) => {
    const where = originOf(["webhooks", "secretKeys", index]);
    if (seen.has(id)) throw refuse(where, `Two keys are named \`${id}\`.`, "Leave one out.");
    seen.add(id);
    const key = Buffer.from(environment[keyEnvironment] ?? "", "base64");
    if (key.length === keyBytes) return { id, key };
    throw refuse(
      where,
      `The key \`${id}\` is taken from ${keyEnvironment}, which has ${key.length} bytes in base64.`,
      `Set ${keyEnvironment} to ${keyBytes} random bytes: openssl rand -base64 ${keyBytes}.`,
    );
  });
  return { allowsPrivate: text("webhooks.privateAddresses") === "allow", secretKeys };
}

function refuse(where: string, message: string, hint: string): PlatformError {
  return new PlatformError("configuration_invalid", `${where}: ${message}`, { where, hint });
}
