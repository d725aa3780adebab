/** The terms of a key: what it may ask for, how much of it in a minute and at once, how urgently, and on whose account. */

import { type Static, Type } from "typebox";

/** Names as a key lists them: a whole name, or its beginning with `*` at the end. */
export const namePatternPattern = "^[^\\s*]{0,255}[^\\s]$";

const NamePatterns = Type.Array(Type.String({ pattern: namePatternPattern, maxLength: 256 }), {
  maxItems: 100,
});
const DeadlineMs = Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 }));

/** `interactive` goes before `standard`, and that before `batch`, where calls have to wait. */
export const PriorityClass = Type.Union([
  Type.Literal("interactive"),
  Type.Literal("standard"),
  Type.Literal("batch"),
]);
export type PriorityClass = Static<typeof PriorityClass>;

/** Deadlines of the calls of one key, in milliseconds; what is absent is as the configuration says. */
export const KeyDeadlines = Type.Object(
  {
    queueMs: DeadlineMs,
    connectMs: DeadlineMs,
    firstTokenMs: DeadlineMs,
    interTokenMs: DeadlineMs,
    totalMs: DeadlineMs,
  },
  { additionalProperties: false },
);
export type KeyDeadlines = Static<typeof KeyDeadlines>;

/** What is absent is not restricted by the key. */
export const KeyTerms = Type.Object(
  {
    /** Models that may be asked for, as `provider/model` or by the bare name. */
    models: Type.Optional(NamePatterns),
    /** Bundles and aliases that may be asked for. */
    bundles: Type.Optional(NamePatterns),
    requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
    tokensPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 })),
    /** Calls under way at once. */
    concurrencyMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    /** Without it `standard`. */
    priority: Type.Optional(PriorityClass),
    /** The name of the account that pays. */
    budgetAccount: Type.Optional(Type.String({ pattern: "^[a-z][a-z0-9-]{0,63}$" })),
    deadlines: Type.Optional(KeyDeadlines),
  },
  { additionalProperties: false },
);
export type KeyTerms = Static<typeof KeyTerms>;

/** Whether a list of names and prefixes admits this name; without a list every name is admitted. */
export function admitsName(patterns: readonly string[] | undefined, name: string): boolean {
  if (patterns === undefined) return true;
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}
