/** The terms of a key as options of the command line, and as a line that a person reads. */

import type { KeyDeadlines, KeyTerms, PriorityClass } from "@faultline/protocol";

import { type CommandContext, type CommandOption, UsageError } from "./command.ts";
import { textListOption, textOption } from "./connection.ts";
import { parseDurationMs } from "./moment.ts";

/** Options of `key create` and `key set`. */
export const keyTermsOptions = {
  model: {
    type: "string",
    multiple: true,
    value: "NAME",
    description: "a model that it may call, or the start of its name and * (repeatable)",
  },
  bundle: {
    type: "string",
    multiple: true,
    value: "NAME",
    description: "a bundle or alias that it may call, likewise (repeatable)",
  },
  rpm: { type: "string", value: "COUNT", description: "requests per minute" },
  tpm: { type: "string", value: "COUNT", description: "tokens per minute" },
  concurrency: { type: "string", value: "COUNT", description: "calls under way at once" },
  priority: {
    type: "string",
    value: "CLASS",
    description: "interactive, standard or batch (default: standard)",
  },
  account: { type: "string", value: "NAME", description: "the budget account that pays" },
  "queue-timeout": deadline("waiting for a place"),
  "connect-timeout": deadline("connecting to the provider"),
  "first-token-timeout": deadline("the first token"),
  "inter-token-timeout": deadline("silence between two tokens"),
  "total-timeout": deadline("the whole call"),
} as const satisfies Record<string, CommandOption>;

const priorities: readonly PriorityClass[] = ["interactive", "standard", "batch"];

/** The terms that the options say. Throws `UsageError`. */
export function readKeyTerms(context: CommandContext): KeyTerms {
  const models = textListOption(context, "model");
  const bundles = textListOption(context, "bundle");
  const requestsPerMinute = countOption(context, "rpm");
  const tokensPerMinute = countOption(context, "tpm");
  const concurrencyMax = countOption(context, "concurrency");
  const priority = readPriority(context);
  const budgetAccount = textOption(context, "account");
  const deadlines = readDeadlines(context);
  return {
    ...(models.length === 0 ? {} : { models: [...models] }),
    ...(bundles.length === 0 ? {} : { bundles: [...bundles] }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    ...(concurrencyMax === undefined ? {} : { concurrencyMax }),
    ...(priority === undefined ? {} : { priority }),
    ...(budgetAccount === undefined ? {} : { budgetAccount }),
    ...(Object.keys(deadlines).length === 0 ? {} : { deadlines }),
  };
}

/** What a key is held to, in a few words; `none` when nothing. */
export function describeKeyTerms(terms: KeyTerms): string {
  const { requestsPerMinute, tokensPerMinute, concurrencyMax, models, bundles } = terms;
  const parts = [
    requestsPerMinute === undefined ? [] : `${requestsPerMinute} requests/min`,
    tokensPerMinute === undefined ? [] : `${tokensPerMinute} tokens/min`,
    concurrencyMax === undefined ? [] : `${concurrencyMax} at once`,
    terms.priority === undefined ? [] : terms.priority,
    terms.budgetAccount === undefined ? [] : `account ${terms.budgetAccount}`,
    models === undefined ? [] : `models ${models.join(", ")}`,
    bundles === undefined ? [] : `bundles ${bundles.join(", ")}`,
    ...Object.entries(terms.deadlines ?? {}).map(([name, ms]) => `${name} ${ms}`),
  ].flat();
  return parts.length === 0 ? "none" : parts.join("; ");
}

function readPriority(context: CommandContext): PriorityClass | undefined {
  const text = textOption(context, "priority");
  const priority = priorities.find((known) => known === text);
  if (text !== undefined && priority === undefined) {
    throw new UsageError(`--priority takes one of ${priorities.join(", ")}; '${text}' is none.`);
  }
  return priority;
}

function readDeadlines(context: CommandContext): KeyDeadlines {
  const queueMs = durationOption(context, "queue-timeout");
  const connectMs = durationOption(context, "connect-timeout");
  const firstTokenMs = durationOption(context, "first-token-timeout");
  const interTokenMs = durationOption(context, "inter-token-timeout");
  const totalMs = durationOption(context, "total-timeout");
  return {
    ...(queueMs === undefined ? {} : { queueMs }),
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...(interTokenMs === undefined ? {} : { interTokenMs }),
    ...(totalMs === undefined ? {} : { totalMs }),
  };
}

function countOption(context: CommandContext, name: string): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const count = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
  if (count === undefined) {
    throw new UsageError(`--${name} takes a whole number from 1; '${text}' is none.`);
  }
  return count;
}

function durationOption(context: CommandContext, name: string): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined || durationMs < 1) {
    throw new UsageError(`--${name} takes a duration such as 500ms or 30s; '${text}' is none.`);
  }
  return Math.round(durationMs);
}

function deadline(what: string): CommandOption {
  return { type: "string", value: "DURATION", description: `deadline for ${what}` };
}
