/** Reads JSON bodies with strict UTF-8, and says where the syntax breaks. */

import type { Readable } from "node:stream";

import { parseForeignJson } from "@faultline/contracts/json";
import { PlatformError } from "@faultline/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { httpLimits } from "./limits.ts";
import { findRepeatedField } from "./repeated-field.ts";

/** How much of a name is said back. */
const nameLengthMax = 100;

/** Replaces fastify's parsers: only `application/json` is read, within its limit. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer", bodyLimit: httpLimits.jsonBodyBytesMax },
    async (_request: unknown, body: Buffer) => parseJson(body),
  );
  app.addContentTypeParser("*", async (request: FastifyRequest, body: Readable) => {
    const type = request.headers["content-type"];
    // Who sends in pieces does not say beforehand that there are none.
    if (type === undefined && (await isEmpty(body))) return undefined;
    throw new PlatformError("media_type_unsupported", sayUnread(type), {
      where: "header content-type",
      hint: "Send JSON with `content-type: application/json`; OTLP paths read application/x-protobuf too. GET /api/openapi.json describes the body of every route.",
    });
  });
}

/** Reads no more than the first piece. */
async function isEmpty(body: Readable): Promise<boolean> {
  // What is left of it is thrown away by whoever answers, who needs the connection.
  const pieces: AsyncIterable<Buffer> = body.iterator({ destroyOnReturn: false });
  for await (const piece of pieces) if (piece.length > 0) return false;
  return true;
}

function sayUnread(type: string | undefined): string {
  if (type === undefined) return "The body has no content type, and JSON was expected.";
  return `The body is of the content type '${type.slice(0, nameLengthMax)}', and JSON was expected.`;
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) {
    throw new PlatformError("request_malformed", "The body is empty, and JSON was announced.", {
      where: "body byte 0",
    });
  }
  const text = decode(body);
  const value = parse(text);
  const repeated = findRepeatedField(text);
  if (repeated === undefined) return value;
  throw new PlatformError(
    "request_malformed",
    `The field \`${repeated.name.slice(0, nameLengthMax)}\` stands twice.`,
    {
      where: `body character ${repeated.at}`,
      hint: "Leave one of the two out.",
    },
  );
}

function parse(text: string): unknown {
  try {
    const value: unknown = parseForeignJson(text);
    return value;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(reason)?.[1];
    throw new PlatformError("request_malformed", `The body is not JSON: ${reason}.`, {
      where: position === undefined ? "body" : `body character ${position}`,
      cause: error,
    });
  }
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (error) {
    throw new PlatformError("request_malformed", "The body is not valid UTF-8.", {
      where: "body",
      cause: error,
    });
  }
}
