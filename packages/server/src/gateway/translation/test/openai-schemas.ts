/** The schemas that OpenAI publishes, as validators. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const openapiPath = fileURLToPath(
  new URL("../../../../../../../shared/data/openai-openapi/openapi.json", import.meta.url),
);

/** Whether the schemas are at hand. */
export const openaiSchemasExist = existsSync(openapiPath);

/** What is wrong with a value by the schema of this name; nothing, when it is valid. */
export type Validate = (schema: string, value: unknown) => readonly unknown[];

/** Reads the schemas once. */
export function openaiSchemas(): Validate {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, discriminator: false });
  const published: unknown = JSON.parse(readFileSync(openapiPath, "utf8"));
  ajv.addSchema({ $id: "openai", ...(toJsonSchema(published) as object) });
  const compiled = new Map<string, ValidateFunction>();
  return (schema, value) => {
    const validate =
      compiled.get(schema) ?? ajv.compile({ $ref: `openai#/components/schemas/${schema}` });
    compiled.set(schema, validate);
    return validate(value) ? [] : (validate.errors ?? []);
  };
}

/**
 * Spells OpenAPI 3.0's `nullable` as JSON Schema does, and `oneOf` as `anyOf`: the published alternatives overlap, such
 * as the two forms of a message in an input.
 */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => toJsonSchema(item));
  if (typeof value !== "object" || value === null) return value;
  const { nullable, oneOf, ...rest }: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, toJsonSchema(item)]),
  );
  const schema = oneOf === undefined ? rest : { ...rest, anyOf: oneOf };
  return nullable === true ? { anyOf: [schema, { type: "null" }] } : schema;
}
