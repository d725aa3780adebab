/** Validates what a request carries against the schemas of the protocol, with a JSON pointer for every fault. */

import { PlatformError } from "@faultline/protocol";
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Convert } from "typebox/value";

const faultCountMax = 5;

interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** The validator compiler of fastify. Text of paths and queries is converted to what its schema asks for. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const part = httpPart === "querystring" ? "query" : (httpPart ?? "body");
  return (data: unknown) => {
    const value: unknown = part === "query" ? Convert(schema, data) : data;
    if (validator.Check(value)) {
      const place = findNul(value);
      return place === undefined ? { value } : { error: refuseNul(part, place) };
    }
    return { error: refusal(part, value, { schema, faults: validator.Errors(value) }) };
  };
};

/**
 * The place of a text with the character NUL, which no database text holds and nobody types. The value has passed its
 * schema, which bounds its depth and size.
 */
function findNul(value: unknown, place = ""): string | undefined {
  if (typeof value === "string") return value.includes("\0") ? place : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    if (name.includes("\0")) return place;
    const found = findNul(inner, `${place}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refuseNul(part: string, place: string): PlatformError {
  const where = `${part} ${place === "" ? "/" : place}`;
  return new PlatformError("request_invalid", `${where} holds the character NUL.`, {
    where,
    hint: "Leave U+0000 out; every other character may stand.",
  });
}

interface Refused {
  readonly schema: TSchema;
  readonly faults: readonly SchemaFault[];
}

function refusal(part: string, value: unknown, { schema, faults }: Refused): PlatformError {
  const told = faults.filter((fault) => fault.keyword !== "boolean" && !isBranch(fault, faults));
  const sentences = told.slice(0, faultCountMax).map((fault) => describe(part, fault));
  if (told.length > faultCountMax) sentences.push(`… and ${told.length - faultCountMax} more`);
  const [first] = told;
  const where = first === undefined ? part : `${part} ${pointerOf(first)}`;
  const got = value === undefined || value === null ? `The ${part} is missing. ` : "";
  return new PlatformError("request_invalid", `${got}${sentences.join("; ")}.`, {
    where,
    hint: hintOf(schema, part),
  });
}

/** A branch of a choice says less than the choice itself. */
function isBranch(fault: SchemaFault, faults: readonly SchemaFault[]): boolean {
  return (
    fault.keyword !== "anyOf" &&
    faults.some((other) => other.keyword === "anyOf" && other.instancePath === fault.instancePath)
  );
}

function describe(part: string, fault: SchemaFault): string {
  const place = `${part} ${pointerOf(fault)}`;
  const { params } = fault;
  if ("additionalProperties" in params)
    return `${place} has fields that are not known: ${listOf(params.additionalProperties)}`;
  if ("requiredProperties" in params) return `${place} lacks ${listOf(params.requiredProperties)}`;
  if (fault.keyword === "anyOf") return `${place} is none of the allowed values`;
  return `${place} ${fault.message}`;
}

function pointerOf(fault: SchemaFault): string {
  return fault.instancePath === "" ? "/" : fault.instancePath;
}

function listOf(names: unknown): string {
  return Array.isArray(names)
    ? names.map((name) => `\`${String(name)}\``).join(", ")
    : String(names);
}

function hintOf(schema: TSchema, part: string): string {
  const properties =
    "properties" in schema && typeof schema.properties === "object" && schema.properties !== null
      ? Object.keys(schema.properties)
      : [];
  const known = properties.length === 0 ? "" : `The ${part} has: ${properties.join(", ")}. `;
  return `${known}GET /api/openapi.json describes every route.`;
}
