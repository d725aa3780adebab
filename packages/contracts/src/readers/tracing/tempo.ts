/** Tempo's JSON, and OTLP's as older versions and loggers wrote it: brought into the form of an OTLP request. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { FileContent } from "../format.ts";
import { JsonMismatch, type JsonObject } from "../otlp/json.ts";
import { readSpans } from "../otlp/json-spans.ts";
import { documentsOf } from "./documents.ts";
import { idOfBase64 } from "./ids.ts";
import { SpanCollector } from "./span-collector.ts";

/** Whether a text begins as a trace of Tempo, with older names, or as blocks without a request around them. */
export function recogniseTempo(head: string): boolean {
  return (
    /"batches"\s*:\s*\[\s*\{\s*"(?:resource|scopeSpans|instrumentationLibrarySpans)"/.test(head) ||
    /^\s*\{\s*"(?:trace|message|status|metrics)"\s*:[\s\S]{0,4096}?"resourceSpans"\s*:/.test(
      head,
    ) ||
    /"(?:instrumentationLibrarySpans|instrumentation_library_spans)"\s*:/.test(head) ||
    (/^\s*\{\s*"(?:resource|scopeSpans)"\s*:/.test(head) &&
      /"scopeSpans"\s*:/.test(head) &&
      !/"resourceSpans"\s*:/.test(head))
  );
}

/** Reads every span of a text. */
export function readTempo(text: string): FileContent {
  const collector = new SpanCollector();
  for (const document of documentsOf(text)) {
    for (const blocks of blocksOf(document)) {
      try {
        readSpans({ resourceSpans: blocks.map(blockOf) }, collector.spans, collector.tally);
      } catch (error) {
        throw error instanceof JsonMismatch ? error.toEvidenceError(undefined) : error;
      }
    }
  }
  return collector.content("Tempo");
}

/** The lists of blocks of a document, wherever it keeps them. */
function blocksOf(document: unknown): JsonObject[][] {
  if (Array.isArray(document)) return document.flatMap(blocksOf);
  if (!isFields(document)) return [];
  const list = document["resourceSpans"] ?? document["resource_spans"] ?? document["batches"];
  // What JSON.parse gives is JSON, and the reader of OTLP checks the rest.
  if (Array.isArray(list)) return [list.filter(isFields) as JsonObject[]];
  if (isFields(document["trace"])) return blocksOf(document["trace"]);
  return isScopes(document) ? [[document as JsonObject]] : [];
}

function isScopes(block: Fields): boolean {
  return scopeLists.some((name) => Array.isArray(block[name]));
}

const scopeLists = [
  "scopeSpans",
  "instrumentationLibrarySpans",
  "scope_spans",
  "instrumentation_library_spans",
] as const;

/** A block with today's names and ids in hexadecimal. */
function blockOf(block: JsonObject): JsonObject {
  const scopes = scopeLists.flatMap((name) => listOf(block[name]));
  return { ...block, scopeSpans: scopes.map(scopeOf) };
}

function scopeOf(group: JsonObject): JsonObject {
  const scope =
    group["scope"] ?? group["instrumentationLibrary"] ?? group["instrumentation_library"];
  return { scope, spans: listOf(group["spans"]).map(spanOf) };
}

function spanOf(span: JsonObject): JsonObject {
  const plain = isFields(span) ? withCamelCase(span) : span;
  return {
    ...withIds(plain),
    links: listOf(plain["links"]).map((link) => withIds(withCamelCase(link))),
  };
}

/** Names of protobuf's own JSON printer when it keeps the fields' names. */
function withCamelCase(owner: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(owner).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

function withIds(owner: JsonObject): JsonObject {
  const ids = ["traceId", "spanId", "parentSpanId"].flatMap((name) => {
    const value = owner[name];
    return typeof value === "string" ? [[name, idOfBase64(value)]] : [];
  });
  return { ...owner, ...Object.fromEntries(ids) };
}

function listOf(value: unknown): JsonObject[] {
  // As above: parsed JSON.
  return Array.isArray(value) ? (value.filter(isFields) as JsonObject[]) : [];
}
