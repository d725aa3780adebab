/** Fields of documents whose producers disagree on names. */

import { type Fields, isFields } from "../model/fields.ts";

interface Path {
  readonly name: string;
  /** Of a name with points in it, its parts; empty for a plain name. */
  readonly parts: readonly string[];
}

/** Names under which a value may stand, the surest first; one with points may be a path. */
export class FieldPaths {
  readonly #paths: readonly Path[];

  constructor(names: readonly string[]) {
    this.#paths = names.map((name) => ({ name, parts: name.includes(".") ? name.split(".") : [] }));
  }

  /** The first value that `read` accepts, and the name under which it stands. */
  find<T>(
    fields: Fields,
    read: (value: unknown, name: string) => T | undefined,
  ): { readonly value: T; readonly name: string } | undefined {
    for (const path of this.#paths) {
      const found = valueAt(fields, path);
      if (found === undefined || found === null) continue;
      const value = read(found, path.name);
      if (value !== undefined) return { value, name: path.name };
    }
    return undefined;
  }

  /** The first value that is there. */
  first(fields: Fields): unknown {
    for (const path of this.#paths) {
      const value = valueAt(fields, path);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  /** The first text that is there and not empty. */
  firstText(fields: Fields): string | undefined {
    for (const path of this.#paths) {
      const value = valueAt(fields, path);
      if (typeof value === "string" && value !== "") return value.toWellFormed();
    }
    return undefined;
  }
}

function valueAt(fields: Fields, { name, parts }: Path): unknown {
  const direct = fields[name];
  if (direct !== undefined || parts.length === 0) return direct;
  let value: unknown = fields;
  for (const part of parts) {
    if (!isFields(value)) return undefined;
    value = value[part];
  }
  return value;
}
