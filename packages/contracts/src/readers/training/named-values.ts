/** Fields whose spelling does not matter: `grad_norm`, `gradNorm` and `grad norm` are one name. */

import type { Fields } from "../../model/fields.ts";
import type { Measured } from "../../model/training.ts";

/** Values by name, whatever its case and separators. */
export class NamedValues {
  readonly #values = new Map<string, unknown>();

  constructor(fields: Fields) {
    for (const [name, value] of Object.entries(fields)) {
      if (value === null || value === undefined) continue;
      this.#values.set(name.toLowerCase().replace(/[^a-z0-9]/g, ""), value);
    }
  }

  /** The value of the first of these names that is there; names are in lower case without separators. */
  first(names: string): unknown {
    for (const name of names.split(" ")) {
      const value = this.#values.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  text(names: string, lengthMax: number): string | undefined {
    const value = this.first(names);
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    return typeof value === "string" && value.length <= lengthMax ? value : undefined;
  }

  count(names: string): number | undefined {
    const value = this.integer(names);
    return value !== undefined && value >= 0 ? value : undefined;
  }

  integer(names: string): number | undefined {
    const value = this.first(names);
    return Number.isSafeInteger(value) ? Number(value) : undefined;
  }

  number(names: string): number | undefined {
    const value = this.first(names);
    return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  }

  flag(names: string): boolean | undefined {
    const value = this.first(names);
    return typeof value === "boolean" ? value : undefined;
  }

  measured(names: string): Measured | undefined {
    return measuredOf(this.first(names));
  }

  list(names: string): readonly unknown[] | undefined {
    const value = this.first(names);
    return Array.isArray(value) ? value : undefined;
  }
}

/** A number, or the word for one that JSON has none for. */
export function measuredOf(value: unknown): Measured | undefined {
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  if (typeof value === "string") return wordOf(value);
  return undefined;
}

function wordOf(text: string): Measured | undefined {
  switch (text.trim().toLowerCase()) {
    case "nan":
      return "NaN";
    case "inf":
    case "+inf":
    case "infinity":
      return "Infinity";
    case "-inf":
    case "-infinity":
      return "-Infinity";
    default: {
      if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)) return undefined;
      return measuredOf(Number(text));
    }
  }
}

/** Leaves out what is `undefined`, as evidence has no such values. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  // What is undefined is gone, so that no value of the type is.
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}
