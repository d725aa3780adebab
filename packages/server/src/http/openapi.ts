/** The OpenAPI 3.1 document of the control API, generated from the table of routes and its schemas. */

import * as protocol from "@faultline/protocol";
import {
  AttributeValue,
  EvidenceReference,
  Finding,
  Fix,
  Span,
  SpanEvent,
  SpanLink,
} from "@faultline/contracts";
import type { TSchema } from "typebox";

const { apiRouteNames, apiRoutes } = protocol;

/** Schemas that the document names; every other one stands where it is used. */
const named: ReadonlyMap<unknown, string> = new Map<unknown, string>(
  [
    ...Object.entries({
      AttributeValue,
      EvidenceReference,
      Finding,
      Fix,
      Span,
      SpanEvent,
      SpanLink,
    }),
    ...Object.entries(protocol).filter(([, value]) => isSchema(value)),
  ].map(([name, schema]) => [schema, name]),
);

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

/** The whole document; equal protocols give equal documents. */
export function createOpenApi(): JsonObject {
  const components = new Map<string, Json>();
  const paths: Record<string, JsonObject> = {};
  for (const name of apiRouteNames) {
    const route: protocol.ApiRoute = apiRoutes[name];
    const path = route.path.replaceAll(/:([A-Za-z]+)/g, "{$1}");
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(name, route, components),
    };
  }
  const errorBody = refer(protocol.ErrorBody, components);
  return {
    openapi: "3.1.0",
    info: {
      title: "Faultline control API",
      version: "1",
      description:
        "Errors of every route have the body ErrorBody; docs/reference/errors.md lists the codes.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(
        [...components].sort(([left], [right]) => (left < right ? -1 : 1)),
      ),
      responses: {
        Error: {
          description: "The request failed.",
          content: { "application/json": { schema: errorBody } },
        },
      },
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key: fl_<tenant>_<secret>." },
        session: { type: "apiKey", in: "cookie", name: "faultline_session" },
      },
    },
  };
}

function operationOf(
  name: string,
  route: protocol.ApiRoute,
  components: Map<string, Json>,
): JsonObject {
  const parameters = [
    ...parametersOf(route.params, "path", components),
    ...parametersOf(route.query, "query", components),
  ];
  return {
    operationId: name,
    summary: route.summary,
    ...(route.access === "public" ? { security: [] } : { description: `Needs: ${route.access}.` }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: refer(route.body, components) } },
          },
        }),
    responses: {
      [route.reply.status]: replyOf(route.reply, components),
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function parametersOf(
  schema: TSchema | undefined,
  place: "path" | "query",
  components: Map<string, Json>,
): Json[] {
  if (schema === undefined) return [];
  // Parameters are described by object schemas, one property each.
  const { properties, required = [] } = schema as TSchema & {
    properties: Record<string, TSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: refer(property, components),
  }));
}

function replyOf(reply: protocol.RouteReply, components: Map<string, Json>): JsonObject {
  switch (reply.kind) {
    case "empty":
      return { description: "Done." };
    case "json":
      return {
        description: "Done.",
        content: { "application/json": { schema: refer(reply.schema, components) } },
      };
    case "text":
    case "stream":
      return {
        description: "Done.",
        content: Object.fromEntries(
          reply.mediaTypes.map((type) => [type, { schema: { type: "string" } }]),
        ),
      };
    case "bytes":
      return {
        description: "Done.",
        content: Object.fromEntries(reply.mediaTypes.map((type) => [type, {}])),
      };
  }
}

/** The schema as JSON; named ones become references and are added to `components`. */
function refer(schema: unknown, components: Map<string, Json>): Json {
  const name = named.get(schema);
  if (name === undefined) return toJson(schema, components);
  if (!components.has(name)) {
    // The place is taken first, so that a schema that contains itself ends.
    components.set(name, {});
    components.set(name, schema === AttributeValue ? attributeValue : toJson(schema, components));
  }
  return { $ref: `#/components/schemas/${name}` };
}

/** Spelled out, because TypeBox writes recursion with local definitions that OpenAPI tools do not resolve. */
const attributeValue: Json = {
  description: "64-bit integers beyond 2^53 are decimal text, bytes are base64 text.",
  anyOf: [
    { type: "string" },
    { type: "number" },
    { type: "boolean" },
    { type: "null" },
    { type: "array", items: { $ref: "#/components/schemas/AttributeValue" } },
    { type: "object", additionalProperties: { $ref: "#/components/schemas/AttributeValue" } },
  ],
};

function toJson(value: unknown, components: Map<string, Json>): Json {
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
  )
    return value;
  if (Array.isArray(value)) return value.map((item) => refer(item, components));
  if (typeof value === "object") {
    if ("$defs" in value) return refer(AttributeValue, components);
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, refer(part, components)]),
    );
  }
  throw new TypeError("A schema holds something that JSON does not know.");
}

function isSchema(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    ("type" in value || "anyOf" in value) &&
    !Array.isArray(value)
  );
}
