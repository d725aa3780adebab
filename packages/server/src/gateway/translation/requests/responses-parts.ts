/** The content of items of the responses surface: texts, images and files. */

import type { AssistantPart, Source, TextPart, UserPart } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { responsesFields } from "../fields/responses-fields.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import {
  optionalText,
  readUrl,
  requireList,
  requireText,
  unknownKind,
  writeUrl,
} from "./request-values.ts";

/** Content that may have text only. */
export function readResponsesTexts(content: unknown, at: string, passage: Passage): TextPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((part, index) => {
    const place = `${at}/${index}`;
    if (toObject(part)?.["type"] !== "input_text") throw unknownKind(part, place);
    return readText(part, place, passage);
  });
}

/** Content of a user, or of a tool's result. */
export function readResponsesParts(content: unknown, at: string, passage: Passage): UserPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((part, index) => readPart(part, `${at}/${index}`, passage));
}

/** Content of an assistant. */
export function readResponsesAnswer(
  content: unknown,
  at: string,
  passage: Passage,
): AssistantPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((part, index): AssistantPart => {
    const place = `${at}/${index}`;
    switch (toObject(part)?.["type"]) {
      case "output_text":
      case "input_text":
        return readText(part, place, passage);
      case "refusal": {
        const { refusal } = admitFields(
          responsesFields.refusalPart,
          { value: part, at: place },
          passage,
        );
        return { kind: "refusal", text: requireText(refusal, `${place}/refusal`) };
      }
      default:
        throw unknownKind(part, place);
    }
  });
}

function readText(part: unknown, at: string, passage: Passage): TextPart {
  const { text } = admitFields(responsesFields.textPart, { value: part, at }, passage);
  return { kind: "text", text: requireText(text, `${at}/text`) };
}

function readPart(part: unknown, at: string, passage: Passage): UserPart {
  switch (toObject(part)?.["type"]) {
    case "input_text":
      return readText(part, at, passage);
    case "input_image": {
      const image = admitFields(responsesFields.imagePart, { value: part, at }, passage);
      const url = requireText(image["image_url"], `${at}/image_url`);
      const detail = optionalText(image["detail"], `${at}/detail`);
      return { kind: "image", source: readUrl(url, `${at}/image_url`), detail, at };
    }
    case "input_file": {
      const file = admitFields(responsesFields.filePart, { value: part, at }, passage);
      const name = optionalText(file["filename"], `${at}/filename`);
      return { kind: "file", source: readFile(file, at), name, at };
    }
    default:
      throw unknownKind(part, at);
  }
}

/** Data without a type is PDF, which is what the surface was made for. */
function readFile(file: JsonObject, at: string): Source {
  const url = optionalText(file["file_url"], `${at}/file_url`);
  if (url !== undefined) return readUrl(url, `${at}/file_url`);
  const data = requireText(file["file_data"], `${at}/file_data`);
  return data.startsWith("data:")
    ? readUrl(data, `${at}/file_data`)
    : { kind: "data", mediaType: "application/pdf", data };
}

/** Content of a user, or of a tool's result; one text alone is a plain string. */
export function writeResponsesParts(parts: readonly UserPart[]): unknown {
  const [first] = parts;
  if (first === undefined) return "";
  if (parts.length === 1 && first.kind === "text") return first.text;
  return parts.map(writePart);
}

function writePart(part: UserPart): JsonObject {
  switch (part.kind) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return {
        type: "input_image",
        image_url: writeUrl(part.source),
        detail: part.detail ?? "auto",
      };
    case "file":
      return part.source.kind === "url"
        ? compact({ type: "input_file", file_url: part.source.url, filename: part.name })
        : { type: "input_file", file_data: writeUrl(part.source), filename: part.name ?? "file" };
  }
}
