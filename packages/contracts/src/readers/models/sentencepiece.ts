/** `tokenizer.model`: a model of SentencePiece as protobuf. */

import type { ModelToken } from "../../model/model-release.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { ProtobufCursor } from "../protobuf-cursor.ts";
import { modelLimits } from "./limits.ts";
import { tokensInOrder } from "./model-file.ts";
import { specialLookingTokens, summaryOf } from "./vocabulary.ts";

const modelWords = {
  subject: "The model of SentencePiece",
  expected: "a model of SentencePiece in protobuf",
};
/** Kinds of a piece that are no text: unknown, control, defined by the user. */
const specialTypes: ReadonlySet<number> = new Set([2, 3, 4]);

/** Whether bytes begin with a piece: a text and a score of four bytes. */
export function looksLikeSentencePiece(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x0a || bytes[2] !== 0x0a) return false;
  const pieceLength = bytes[1] ?? 0;
  const textLength = bytes[3] ?? 0;
  const isInside = textLength > 0 && 4 + textLength + 5 <= 2 + pieceLength;
  return pieceLength < 0x80 && isInside && bytes[4 + textLength] === 0x15;
}

/** Reads the pieces; their places are their ids. */
export function readSentencePiece({ bytes, name }: FormatInput): FileContent {
  const vocabulary = new Map<string, number>();
  const special: ModelToken[] = [];
  const algorithms: readonly string[] = ["", "Unigram", "BPE", "Word", "Char"];
  let algorithm = "Unigram";
  let id = 0;
  const cursor = new ProtobufCursor(bytes, modelWords);
  while (!cursor.isAtEnd) {
    const tag = cursor.tag();
    if (tag === 0x0a) {
      const { text, type } = readPiece(cursor.message());
      // Equal texts keep the first id, and every piece counts.
      if (!vocabulary.has(text)) vocabulary.set(text, id);
      if (specialTypes.has(type)) {
        special.push({ text: text.slice(0, modelLimits.textLengthMax), id, isSpecial: true });
      }
      id += 1;
      if (id > modelLimits.vocabularySizeMax) break;
    } else if (tag === 0x12) {
      algorithm = algorithms[modelTypeOf(cursor.message())] ?? algorithm;
    } else cursor.skip(tag);
  }
  if (vocabulary.size === 0) {
    throw new EvidenceError("The model of SentencePiece has no piece.", { expected: "pieces" });
  }
  const tokens = tokensInOrder([...specialLookingTokens(vocabulary), ...special]);
  return {
    modelFiles: [
      {
        parts: [
          {
            kind: "tokenizer",
            file: name,
            form: "sentencepiece",
            algorithm,
            ...summaryOf(vocabulary),
            tokens: tokens.slice(0, modelLimits.tokenCountMax),
          },
        ],
        vocabulary,
      },
    ],
    notes: [],
  };
}

function readPiece(piece: ProtobufCursor): { readonly text: string; readonly type: number } {
  let text = "";
  let type = 1;
  while (!piece.isAtEnd) {
    const tag = piece.tag();
    if (tag === 0x0a) text = new TextDecoder().decode(piece.bytes());
    else if (tag === 0x18) type = piece.unsigned();
    else piece.skip(tag);
  }
  return { text, type };
}

function modelTypeOf(specification: ProtobufCursor): number {
  while (!specification.isAtEnd) {
    const tag = specification.tag();
    if (tag === 0x18) return specification.unsigned();
    specification.skip(tag);
  }
  return 1;
}
