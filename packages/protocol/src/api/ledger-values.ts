/** Values that stand in many schemas of the ledger. */

import { Type } from "typebox";

/** No other fields. */
export const closed = { additionalProperties: false } as const;

/** Any text: what is no amount is told apart by the ledger, each fault by its own code. */
export const AskedMicros = Type.String({ minLength: 1, maxLength: 64 });
/** A whole number of micros, millionths of a unit. */
export const Micros = Type.String({ pattern: "^-?[0-9]{1,25}$" });
/** A moment, as RFC 3339 has it. */
export const Moment = Type.String({ format: "date-time" });
/** An id that a caller or the ledger gave. */
export const Id = Type.String({ pattern: "^[\\x21-\\x7e]{1,128}$" });
/** Longer than any known currency, so that a foreign one is told apart by the ledger. */
export const AskedCurrency = Type.String({ minLength: 1, maxLength: 16 });
/** The currencies that accounts may have. */
export const Currency = Type.Union([Type.Literal("USD"), Type.Literal("credits")]);
/** A name that a person reads. */
export const Name = Type.String({ minLength: 1, maxLength: 256 });
/** How many. What is beyond this a number does not count exactly, and no database column holds. */
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
