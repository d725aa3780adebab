/** The paths of GraphQL fields, with and without the indices of the lists on the way. */

import type { Attributes, Span } from "../model/span.ts";

export interface ResolverPath {
  /** The field's path with `*` for each list index: `orders.*.customer`. */
  readonly pattern: string;
  /** The path as recorded, in one notation: `orders.0.customer`. */
  readonly path: string;
  /** How many list indices the recorded path names. */
  readonly indexCount: number;
}

/** Where instrumentations write the path of the field that a span resolves. */
const pathAttributes = [
  "graphql.field.path",
  "graphql.path",
  "graphql.resolver.path",
  "graphql.selection.path",
  "graphql.execution.path",
  "graphql.response.path",
] as const;

/** The field that a span resolves, or `undefined` when it is no resolver's span. */
export function resolverPathOf(span: Span): ResolverPath | undefined {
  for (const name of pathAttributes) {
    const value = span.attributes[name];
    if (typeof value === "string" && value !== "") return parseResolverPath(value);
    if (Array.isArray(value) && value.length > 0) {
      return parseResolverPath(
        value.map((segment) => JSON.stringify(segment).replaceAll('"', "")).join("."),
      );
    }
  }
  const named = /^graphql\.resolve\s+(\S+)$/.exec(span.name);
  if (named?.[1] !== undefined) return parseResolverPath(named[1]);
  const field = text(span.attributes, "graphql.field.name", "graphql.resolver.fieldName");
  const parent = text(
    span.attributes,
    "graphql.parentType",
    "graphql.parent.type",
    "graphql.field.parentType",
    "graphql.parent_type",
    "graphql.resolver.typeName",
  );
  if (field === undefined) return undefined;
  return parseResolverPath(parent === undefined ? field : `${parent}.${field}`);
}

/** Reads `orders.0.customer`, `/orders[0]/customer` and `orders[0].customer`. */
export function parseResolverPath(recorded: string): ResolverPath {
  const segments = (
    /[[/]/.test(recorded) ? recorded.replace(/\[(\d+|\*)\]/g, ".$1").replaceAll("/", ".") : recorded
  )
    .split(".")
    .filter((segment) => segment !== "");
  const pattern = segments.map((segment) => (isIndex(segment) ? "*" : segment));
  const indexCount = segments.filter((segment, index) => segment !== pattern[index]).length;
  return { pattern: pattern.join("."), path: segments.join("."), indexCount };
}

function isIndex(segment: string): boolean {
  const first = segment.charCodeAt(0);
  return first >= 48 && first <= 57 && /^\d+$/.test(segment);
}

/** `query Orders`, `mutation`, or `undefined` when the span does not say which operation it executes. */
export function graphqlOperationOf(span: Span): string | undefined {
  const type = text(span.attributes, "graphql.operation.type");
  const name = text(span.attributes, "graphql.operation.name");
  if (type === undefined && name === undefined) return undefined;
  return [type ?? "query", name].filter((part) => part !== undefined && part !== "").join(" ");
}

function text(attributes: Attributes, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = attributes[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}
