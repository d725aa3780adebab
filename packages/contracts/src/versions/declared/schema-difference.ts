/** What differs between two schemas of one tool in a way that changes which calls are right. */

import { isFields } from "../../model/fields.ts";
import { isTypo } from "../../text/typo.ts";

/** One difference, in words, and whether no rewriting of schemas by frameworks makes it. */
export interface SchemaDifference {
  readonly words: string;
  readonly isSure: boolean;
}

interface Property {
  /** Without `null`; empty where the schema does not say, or says it in a way that is not compared. */
  readonly types: ReadonlySet<string>;
  readonly values: readonly string[] | undefined;
  readonly isRequired: boolean;
  readonly schema: unknown;
}

const depthMax = 6;
const differenceCountMax = 16;

/** Differences of a schema that is carried from the one that is declared; the surest come first. */
export function schemaDifferences(declared: unknown, carried: unknown): SchemaDifference[] {
  const found: SchemaDifference[] = [];
  compare({ declared, carried, path: "", depth: 0 }, found);
  return found
    .toSorted((left, right) => Number(right.isSure) - Number(left.isSure))
    .slice(0, differenceCountMax);
}

/** The share of argument names that two schemas have in common. */
export function likenessOf(one: unknown, other: unknown): number {
  const own = new Set(propertiesOf(one)?.keys());
  const others = new Set(propertiesOf(other)?.keys());
  const union = new Set([...own, ...others]);
  if (union.size === 0) return 1;
  return [...own].filter((name) => others.has(name)).length / union.size;
}

interface Pair {
  readonly declared: unknown;
  readonly carried: unknown;
  readonly path: string;
  readonly depth: number;
}

function compare({ declared, carried, path, depth }: Pair, found: SchemaDifference[]): void {
  const own = propertiesOf(declared);
  const others = propertiesOf(carried);
  if (own === undefined || others === undefined || depth > depthMax) return;
  const gone = [...own.keys()].filter((name) => !others.has(name));
  const added = [...others.keys()].filter((name) => !own.has(name));
  for (const name of gone) {
    const near = added.find((other) => isRenamed(name, other));
    const words =
      near === undefined ? `${path}${name} is missing` : `${path}${name} is called ${path}${near}`;
    // Applications may fill in an argument themselves and hide it from the model.
    found.push({ words, isSure: near !== undefined });
  }
  for (const name of added) {
    const isRequired = others.get(name)?.isRequired === true;
    const words = `${path}${name} is ${isRequired ? "required" : "there"} and not declared`;
    found.push({ words, isSure: isRequired && gone.length === 0 });
  }
  const hasRequired = [...others.values()].some(({ isRequired }) => isRequired);
  for (const [name, property] of own) {
    const other = others.get(name);
    if (other === undefined) continue;
    compareProperty(`${path}${name}`, [property, other], found);
    if (property.isRequired && !other.isRequired && hasRequired) {
      found.push({ words: `${path}${name} is no longer required`, isSure: true });
    }
    compare(
      {
        declared: property.schema,
        carried: other.schema,
        path: `${path}${name}.`,
        depth: depth + 1,
      },
      found,
    );
  }
}

/** One name for another: another spelling, or a word more. */
function isRenamed(name: string, other: string): boolean {
  return isTypo(name, other) || other.endsWith(`_${name}`) || name.endsWith(`_${other}`);
}

function compareProperty(
  name: string,
  [declared, carried]: readonly [Property, Property],
  found: SchemaDifference[],
): void {
  const { types, values } = declared;
  const isOther = types.size > 0 && carried.types.size > 0 && !areEqual(types, carried.types);
  if (isOther) {
    found.push({
      words: `${name} is ${[...types].join(" or ")} as declared and ${[...carried.types].join(" or ")} there`,
      isSure: true,
    });
  }
  if (values !== undefined && carried.values !== undefined) {
    const [one, other] = [values.toSorted(), carried.values.toSorted()].map((list) =>
      list.join(", "),
    );
    if (one !== other) {
      found.push({
        words: `${name} is one of ${one} as declared and of ${other} there`,
        isSure: true,
      });
    }
  }
}

function areEqual(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}

/** The arguments of a schema of an object; nothing where it is none, or is put together from others. */
function propertiesOf(schema: unknown): ReadonlyMap<string, Property> | undefined {
  const plain = withoutNull(schema);
  if (plain === undefined) return undefined;
  const { properties, required } = plain;
  if (!isFields(properties))
    return plain["type"] === "object" && !isOpaque(plain) ? new Map() : undefined;
  const names = new Set(Array.isArray(required) ? (required as unknown[]) : []);
  return new Map(
    Object.entries(properties).map(([name, property]): [string, Property] => {
      const inner = withoutNull(property);
      return [
        name,
        {
          types: inner === undefined ? new Set() : typesOf(inner["type"]),
          values: inner === undefined ? undefined : valuesOf(inner),
          isRequired: names.has(name),
          schema: inner?.["type"] === "array" ? inner["items"] : inner,
        },
      ];
    }),
  );
}

function isOpaque(schema: Readonly<Record<string, unknown>>): boolean {
  return ["$ref", "anyOf", "oneOf", "allOf", "if", "patternProperties"].some(
    (name) => schema[name] !== undefined,
  );
}

/** A schema as it is without the choice of `null`; nothing where it cannot be compared. */
function withoutNull(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isFields(schema)) return undefined;
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices)) {
    const others = (choices as unknown[]).filter(
      (choice) => !isFields(choice) || choice["type"] !== "null",
    );
    return others.length === 1 ? withoutNull(others[0]) : undefined;
  }
  return isOpaque(schema) ? undefined : schema;
}

function typesOf(type: unknown): ReadonlySet<string> {
  const list: readonly unknown[] = Array.isArray(type) ? type : [type];
  // Frameworks write whole numbers as numbers, and some providers want types in capitals.
  const names = list.flatMap((item) => (typeof item === "string" ? [item.toLowerCase()] : []));
  return new Set(
    names.filter((name) => name !== "null").map((name) => (name === "integer" ? "number" : name)),
  );
}

function valuesOf(schema: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const values = schema["enum"];
  if (!Array.isArray(values)) return undefined;
  return (values as unknown[])
    .filter((value) => value !== null)
    .map((value) => JSON.stringify(value) ?? "");
}
