/**
 * Tables of the fields of each surface's request, with what happens to each on the way to another surface. Readers see
 * a part of a request only through its table, so a field that no table names cannot be dropped silently; the reference
 * is generated from the same tables.
 */

import { isDeepStrictEqual } from "node:util";

import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { invalidRequest, type Losses, unsupported } from "../losses.ts";
import { type Surface, surfaceTitles } from "../surface.ts";

/** What happens to a field on its way to one surface. */
export type Fate =
  | { readonly kind: "carried"; readonly as: string }
  /** `unless` is the value that says there what is so anyway. */
  | { readonly kind: "lost"; readonly why: string; readonly unless?: unknown }
  | { readonly kind: "refused"; readonly why: string };

export interface FieldRow {
  readonly to: Partial<Readonly<Record<Surface, Fate>>>;
  /** Values that say what is so anyway; `null` is always one. They are left out without a word. */
  readonly neutral: readonly unknown[];
}

/** The fields of one kind of object. `place` is its path in the request, for people. */
export interface FieldTable {
  readonly surface: Surface;
  readonly place: string;
  readonly fields: Readonly<Record<string, FieldRow>>;
}

/** From where to where a request goes, and what is lost on the way. */
export interface Passage {
  readonly from: Surface;
  readonly to: Surface;
  readonly losses: Losses;
}

type Fates = Partial<Record<Surface, Fate>>;

/** The field arrives; `as` says as what. */
export function carried(as: string): Fate {
  return { kind: "carried", as };
}

/** The field is left out, and the caller is told. */
export function lost(why: string): Fate {
  return { kind: "lost", why };
}

/** The field is left out; the caller is told unless it says what is so anyway. */
export function lostUnless(unless: unknown, why: string): Fate {
  return { kind: "lost", why, unless };
}

/** The request is refused: without the field it would mean something else. */
export function refused(why: string): Fate {
  return { kind: "refused", why };
}

/** One row of a table. */
export function row(to: Fates, ...neutral: readonly unknown[]): FieldRow {
  return { to, neutral };
}

/** The fields of `value` that are carried. Reports the lost, throws for the refused, and reports the unknown as lost. */
export function admitFields(
  table: FieldTable,
  { value, at }: { readonly value: unknown; readonly at: string },
  passage: Passage,
): JsonObject {
  const object = toObject(value);
  if (object === undefined) throw invalidRequest(at, "an object");
  const admitted: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(object)) {
    if (field === null || field === undefined) continue;
    const known = Object.hasOwn(table.fields, name) ? table.fields[name] : undefined;
    if (known?.neutral.some((neutral) => isDeepStrictEqual(neutral, field)) === true) continue;
    const fate = known?.to[passage.to] ?? unknownFate(table.surface);
    const place = `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (fate.kind === "carried") admitted[name] = field;
    else if (fate.kind === "refused") throw unsupported(place, fate.why);
    else if (field !== fate.unless) passage.losses.add(place, fate.why);
  }
  return admitted;
}

function unknownFate(surface: Surface): Fate {
  return lost(`not a field of ${surfaceTitles[surface]} that is known here`);
}
