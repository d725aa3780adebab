/** The content blocks of users in the messages surface: texts, images and documents. */

import type { FilePart, Source, TextPart, UserPart } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { messagesFields } from "../fields/messages-fields.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { unsupported } from "../losses.ts";
import { optionalText, requireText, unknownKind } from "./request-values.ts";

/** A block that may be text only. */
export function readTextBlock(value: unknown, at: string, passage: Passage): TextPart {
  if (toObject(value)?.["type"] !== "text") throw unknownKind(value, at);
  const { text } = admitFields(messagesFields.textBlock, { value, at }, passage);
  return { kind: "text", text: requireText(text, `${at}/text`) };
}

/** A block of a user or of a tool's result. */
export function readUserBlock(value: unknown, at: string, passage: Passage): UserPart {
  switch (toObject(value)?.["type"]) {
    case "text":
      return readTextBlock(value, at, passage);
    case "image": {
      const block = admitFields(messagesFields.imageBlock, { value, at }, passage);
      const source = readSource(block["source"], `${at}/source`, passage);
      if (source.kind === "text") throw unknownKind(block["source"], `${at}/source`);
      return { kind: "image", source, detail: undefined, at };
    }
    case "document": {
      const block = admitFields(messagesFields.documentBlock, { value, at }, passage);
      const source = readSource(block["source"], `${at}/source`, passage);
      // Plain text needs no file to carry it.
      if (source.kind === "text") return source;
      return { kind: "file", source, name: optionalText(block["title"], `${at}/title`), at };
    }
    default:
      throw unknownKind(value, at);
  }
}

function readSource(value: unknown, at: string, passage: Passage): Source | TextPart {
  const source = admitFields(messagesFields.source, { value, at }, passage);
  switch (source["type"]) {
    case "base64":
      return {
        kind: "data",
        mediaType: requireText(source["media_type"], `${at}/media_type`),
        data: requireText(source["data"], `${at}/data`),
      };
    case "url":
      return { kind: "url", url: requireText(source["url"], `${at}/url`) };
    case "text":
      return { kind: "text", text: requireText(source["data"], `${at}/data`) };
    default:
      throw unknownKind(value, at);
  }
}

/** Blocks of a user's turn. The surface refuses empty texts, which say nothing. */
export function writeUserBlocks(parts: readonly UserPart[]): JsonObject[] {
  return parts.flatMap((part): JsonObject[] => {
    switch (part.kind) {
      case "text":
        return writeTextBlocks([part]);
      case "image":
        return [{ type: "image", source: writeSource(part.source) }];
      case "file":
        return [writeDocument(part)];
    }
  });
}

/** Text blocks, without the empty ones. */
export function writeTextBlocks(texts: readonly TextPart[]): JsonObject[] {
  return texts.filter(({ text }) => text !== "").map(({ text }) => ({ type: "text", text }));
}

function writeDocument({ source, name, at }: FilePart): JsonObject {
  if (source.kind === "data" && source.mediaType === "text/plain") {
    const data = Buffer.from(source.data, "base64").toString();
    return compact({
      type: "document",
      source: { type: "text", media_type: "text/plain", data },
      title: name,
    });
  }
  if (source.kind === "data" && source.mediaType !== "application/pdf") {
    throw unsupported(at, "messages takes files of PDF and plain text only");
  }
  return compact({ type: "document", source: writeSource(source), title: name });
}

function writeSource(source: Source): JsonObject {
  return source.kind === "url"
    ? { type: "url", url: source.url }
    : { type: "base64", media_type: source.mediaType, data: source.data };
}
