/** Options of the commands that work on a data folder instead of talking to a running platform. */

import type { Config } from "@faultline/server";
import type { ConfigSources } from "@faultline/server/config/index.ts";

import type { CommandContext, CommandOption } from "./command.ts";
import { textOption } from "./connection.ts";

export const serverOptions = {
  data: { type: "string", value: "FOLDER", description: "data folder (default: .faultline)" },
  config: {
    type: "string",
    value: "FILE",
    description: "settings (default: faultline.yaml of this folder, if there is one)",
  },
  host: {
    type: "string",
    value: "ADDRESS",
    description: "address to listen on (default: 127.0.0.1)",
  },
  port: { type: "string", short: "p", value: "PORT", description: "port (default: 4600)" },
  workers: {
    type: "string",
    value: "N",
    description: "gateway worker processes (default: cores - 1)",
  },
  "log-level": {
    type: "string",
    value: "LEVEL",
    description: "debug, info, warn or error (default: info)",
  },
  "log-format": {
    type: "string",
    value: "FORMAT",
    description: "auto, json or pretty (default: auto: pretty on a terminal)",
  },
} as const satisfies Record<string, CommandOption>;

/** Reads the configuration from flags, environment and file. Throws `configuration_invalid`. */
export async function readConfig(context: CommandContext): Promise<Config> {
  const { loadConfig } = await import("@faultline/server/config/index.ts");
  return loadConfig(configSources(context));
}

/** Where the configuration of a command comes from. */
export function configSources(context: CommandContext): ConfigSources {
  return {
    file: textOption(context, "config"),
    flags: {
      data: textOption(context, "data"),
      host: textOption(context, "host"),
      port: textOption(context, "port"),
      workers: textOption(context, "workers"),
      "log-level": textOption(context, "log-level"),
      "log-format": textOption(context, "log-format"),
    },
    environment: context.environment,
  };
}
