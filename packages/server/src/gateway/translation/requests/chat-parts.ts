/** The content of chat messages: texts, images and files. */

import type { TextPart, UserPart } from "../conversation.ts";
import { chatFields } from "../fields/chat-fields.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { unsupported } from "../losses.ts";
import {
  optionalText,
  readUrl,
  requireList,
  requireText,
  unknownKind,
  writeUrl,
} from "./request-values.ts";

/** Content that may have text only. */
export function readChatTexts(content: unknown, at: string, passage: Passage): readonly TextPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((part, index) => {
    const place = `${at}/${index}`;
    if (toObject(part)?.["type"] !== "text") throw unknownKind(part, place);
    return readText(part, place, passage);
  });
}

/** Content of a user. */
export function readChatParts(content: unknown, at: string, passage: Passage): readonly UserPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((part, index) => readPart(part, `${at}/${index}`, passage));
}

function readPart(part: unknown, at: string, passage: Passage): UserPart {
  switch (toObject(part)?.["type"]) {
    case "text":
      return readText(part, at, passage);
    case "image_url": {
      const { image_url: value } = admitFields(chatFields.imagePart, { value: part, at }, passage);
      const place = `${at}/image_url`;
      const image = admitFields(chatFields.imageUrl, { value, at: place }, passage);
      const url = requireText(image["url"], `${place}/url`);
      const detail = optionalText(image["detail"], `${place}/detail`);
      return { kind: "image", source: readUrl(url, `${place}/url`), detail, at: place };
    }
    case "file": {
      const { file: value } = admitFields(chatFields.filePart, { value: part, at }, passage);
      const place = `${at}/file`;
      const file = admitFields(chatFields.file, { value, at: place }, passage);
      const data = requireText(file["file_data"], `${place}/file_data`);
      const name = optionalText(file["filename"], `${place}/filename`);
      return { kind: "file", source: readUrl(data, `${place}/file_data`), name, at: place };
    }
    default:
      throw unknownKind(part, at);
  }
}

function readText(part: unknown, at: string, passage: Passage): TextPart {
  const { text } = admitFields(chatFields.textPart, { value: part, at }, passage);
  return { kind: "text", text: requireText(text, `${at}/text`) };
}

/** One text alone is a plain string, which every server of this surface reads. */
export function writeChatTexts(texts: readonly TextPart[]): unknown {
  if (texts.length <= 1) return texts[0]?.text ?? "";
  return texts.map(({ text }) => ({ type: "text", text }));
}

/** Content of a user. */
export function writeChatParts(parts: readonly UserPart[]): unknown {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === "text") return first.text;
  return parts.map(writePart);
}

function writePart(part: UserPart): JsonObject {
  switch (part.kind) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return {
        type: "image_url",
        image_url: compact({ url: writeUrl(part.source), detail: part.detail }),
      };
    case "file":
      if (part.source.kind === "url")
        throw unsupported(part.at, "chat completions takes no URLs of files");
      return {
        type: "file",
        file: { filename: part.name ?? "file", file_data: writeUrl(part.source) },
      };
  }
}
