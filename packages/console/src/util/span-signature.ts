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
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/g, "#");
}

function withoutLiterals(statement: string): string {
  return withoutNumbers(statement.replaceAll(/'(?:[^']|'')*'/g, "?")).replaceAll(/\s+/g, " ");
}
