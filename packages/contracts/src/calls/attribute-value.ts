/** Reads single values of attributes: headers are recorded as lists, tags of older tracers as text. */

import type { Attributes, AttributeValue } from "../model/span.ts";

/** The value of an attribute that holds one: of a list of one its item; nothing for empty text. */
export function scalarOf(value: AttributeValue | undefined): string | number | boolean | undefined {
  const single: AttributeValue | undefined =
    Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof single === "string") return single === "" ? undefined : single;
  return typeof single === "number" || typeof single === "boolean" ? single : undefined;
}

/** The first of these attributes that holds one value, as text. */
export function wordOf(attributes: Attributes, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = scalarOf(attributes[name]);
    if (value !== undefined) return String(value);
  }
  return undefined;
}

/** The first of these attributes that holds a whole number, also as text. */
export function countOf(attributes: Attributes, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = scalarOf(attributes[name]);
    if (typeof value === "number" && Number.isInteger(value)) return value;
    if (typeof value === "string" && /^\d{1,9}$/.test(value)) return Number(value);
  }
  return undefined;
}

/** A header's name of an attribute that records one, lower-cased with hyphens; `undefined` for other attributes. */
export function headerOf(attribute: string): string | undefined {
  const match = headerAttributes.exec(attribute);
  return match?.[1]?.toLowerCase().replaceAll("_", "-");
}

const headerAttributes =
  /^(?:http\.(?:request|response)\.headers?|rpc\.(?:grpc\.|connect_rpc\.)?(?:request|response)\.metadata|grpc\.(?:request|response)?\.?metadata|messaging\.headers?|messaging\.message\.headers?)\.(.+)$/;
