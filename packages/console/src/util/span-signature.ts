/** What makes two sibling spans the same kind of work: everything but the values they work on. */

import type { AttributeValue, Span } from "@faultline/contracts";

const statementAttributes = ["db.query.text", "db.statement", "db.query.summary"];
const placeAttributes = [
  "graphql.field.path",
  "http.route",
  "url.template",
  "url.path",
  "http.target",
];

/** What tells one item from another: a UUID or a number. */
const identifier = /[0-9a-f]{8}-[0-9a-f-]{27}|\d+/g;

/** Equal for spans that repeat one another, whatever ids, list indices and literals they carry. */
export function spanSignature(span: Span): string {
  return [
    span.service,
    span.kind,
    withoutNumbers(span.name),
    withoutLiterals(spanStatement(span) ?? ""),
    withoutNumbers(firstText(span, placeAttributes) ?? ""),
  ].join("\u0000");
}

/** The name that repeated spans have in common: numbers in which they differ become a star, as in `posts.*.author`. */
export function sharedName(spans: readonly [Span, ...Span[]]): string {
  const [{ name }] = spans;
  if (spans.every((span) => span.name === name)) return name;
  return name.replaceAll(identifier, "*");
}

/** The database statement of a span, when it carries one. */
export function spanStatement(span: Span): string | undefined {
  return firstText(span, statementAttributes);
}

/** An attribute's value as one line of text. */
export function attributeText(value: AttributeValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function firstText(span: Span, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = span.attributes[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

function withoutNumbers(text: string): string {
  return text.replaceAll(identifier, "#");
}

function withoutLiterals(statement: string): string {
  return withoutNumbers(statement.replaceAll(/'(?:[^']|'')*'/g, "?")).replaceAll(/\s+/g, " ");
}
