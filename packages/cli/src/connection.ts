/** How a command reaches a running platform: its address and key, from options or the environment. */

import { type Client, createClient, PlatformError } from "@faultline/protocol";

import type { CommandContext, CommandOption } from "./command.ts";

/** Options of every command that talks to a running platform. */
export const connectionOptions = {
  url: {
    type: "string",
    value: "URL",
    description: "address of the platform (default: $FAULTLINE_URL or http://127.0.0.1:4600)",
  },
  key: { type: "string", value: "KEY", description: "API key (default: $FAULTLINE_KEY)" },
  json: { type: "boolean", description: "print the result as JSON" },
} as const satisfies Record<string, CommandOption>;

export interface Connection {
  readonly baseUrl: string;
  readonly key: string;
  readonly client: Client;
}

/** Reads address and key. Throws `key_missing` when there is no key, and says where one comes from. */
export function connect(context: CommandContext): Connection {
  const baseUrl = textOption(context, "url") ?? context.environment.FAULTLINE_URL ?? defaultUrl;
  const key = textOption(context, "key") ?? context.environment.FAULTLINE_KEY;
  if (key === undefined || key === "") {
    throw new PlatformError("key_missing", "No API key was given.", {
      hint: "Set FAULTLINE_KEY to the key that `faultline up` showed on its first start, or pass --key.",
    });
  }
  return { baseUrl, key, client: createClient({ baseUrl, key, fetch: globalThis.fetch }) };
}

/** Where `faultline up` listens unless it is told otherwise. */
export const defaultUrl = "http://127.0.0.1:4600";

/** The value of a text option, when it was given. */
export function textOption(context: CommandContext, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of an option that may be given several times. */
export function textListOption(context: CommandContext, name: string): readonly string[] {
  const value = context.options[name];
  return Array.isArray(value) ? value : [];
}

/** Whether a switch was given. */
export function switchOption(context: CommandContext, name: string): boolean {
  return context.options[name] === true;
}
