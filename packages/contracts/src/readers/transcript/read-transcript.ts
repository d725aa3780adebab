/** Reads transcripts of models that call tools, as providers, frameworks and corpora write them. */

import type { TranscriptTurn } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import { isExchange, partOf } from "./containers.ts";
import { conversationOfRecord, isRecord } from "./corpora.ts";
import { looksLikeMessage } from "./message.ts";
import { TranscriptBuilder, transcriptLimits } from "./transcript-builder.ts";

/**
 * Whether a value is one transcript: a list of messages, a request, a response, a request with its response, or a list
 * of such exchanges of one conversation.
 */
export function recogniseTranscript(value: unknown): boolean {
  if (Array.isArray(value)) {
    return (
      value.length > 0 &&
      (value.slice(0, 20).every(looksLikeMessage) || value.slice(0, 20).every(isExchange))
    );
  }
  return isFields(value) && (isExchange(value) || partOf(value) !== undefined || isRecord(value));
}

/** The turns of a transcript. Throws an `EvidenceError` when the value is none. */
export function readTranscript(value: unknown): { turns: TranscriptTurn[]; notes: string[] } {
  if (!recogniseTranscript(value)) throw notATranscript();
  const transcript = new TranscriptBuilder();
  if (Array.isArray(value) && value.every(isExchange)) {
    for (const [index, exchange] of value.entries()) transcript.addExchange(exchange, `/${index}`);
  } else if (isExchange(value)) {
    transcript.addExchange(value, "");
  } else if (partOf(value) === undefined && isFields(value)) {
    transcript.addPart(conversationOfRecord(value), "");
  } else {
    transcript.addPart(value, "");
  }
  return { turns: transcript.turns, notes: transcript.notes() };
}

/** The transcripts of documents, each of which holds one transcript or a list of them. */
export function readTranscripts(documents: readonly unknown[]): {
  transcripts: TranscriptTurn[][];
  notes: string[];
} {
  const transcripts: TranscriptTurn[][] = [];
  const notes = new Set<string>();
  const note = (text: string): void => {
    if (notes.size < transcriptLimits.noteCountMax) notes.add(text);
  };
  const values = joined(documents).flatMap((document): readonly unknown[] =>
    Array.isArray(document) && !recogniseTranscript(document) ? document : [document],
  );
  for (const [index, value] of values.entries()) {
    if (!recogniseTranscript(value)) {
      note(`Document ${index + 1} is no transcript and was left out.`);
      continue;
    }
    const isList = Array.isArray(value) && value.every(isExchange);
    for (const read of isList ? conversationsOf(value) : [readTranscript(value)]) {
      transcripts.push(read.turns);
      for (const text of read.notes) note(text);
    }
  }
  if (transcripts.length === 0) throw notATranscript();
  return { transcripts, notes: [...notes] };
}

/** Conversations of a list of exchanges that may still go on: those of the latest exchanges. */
const openCountMax = 8;

/** What an exchange goes on with: the latest conversation that it repeats as a whole, else the latest of which it knows the last calls. */
function homeOf<Item>(
  items: readonly Item[],
  builderOf: (item: Item) => TranscriptBuilder | undefined,
  exchange: Fields,
): Item | undefined {
  let likely: Item | undefined;
  for (const item of items.slice(-openCountMax).reverse()) {
    const found = builderOf(item)?.continuationBy(exchange);
    if (found?.isWhole === true) return item;
    if (found !== undefined) likely ??= item;
  }
  return likely;
}

/** The conversations of a list of exchanges, in which several may stand one beside the other. */
function conversationsOf(
  exchanges: readonly Fields[],
): readonly { turns: TranscriptTurn[]; notes: string[] }[] {
  const all: TranscriptBuilder[] = [];
  for (const [index, exchange] of exchanges.entries()) {
    const last = all.at(-1);
    const home =
      homeOf(all, (builder) => builder, exchange) ??
      (last?.isLeftBy(exchange) === true ? undefined : last);
    const builder = home ?? new TranscriptBuilder();
    if (home === undefined) all.push(builder);
    builder.addExchange(exchange, `/${index}`);
  }
  return all.map((builder) => ({ turns: builder.turns, notes: builder.notes() }));
}

/**
 * Lines that are one conversation become one document: messages one on each line, and exchanges each of which begins
 * with all that was said before.
 */
function joined(documents: readonly unknown[]): readonly unknown[] {
  if (documents.length < 2) return documents;
  const messages = documents.filter(looksLikeMessage);
  // A log of messages may have lines about other things between them.
  if (messages.length >= 2 && messages.length * 2 > documents.length) return [messages];
  const groups: { readonly list: unknown[]; readonly builder: TranscriptBuilder | undefined }[] =
    [];
  for (const document of documents) {
    const home = isExchange(document)
      ? homeOf(groups, ({ builder }) => builder, document)
      : undefined;
    if (home !== undefined && isExchange(document)) {
      home.builder?.addExchange(document, "");
      home.list.push(document);
      continue;
    }
    const builder = isExchange(document) ? new TranscriptBuilder() : undefined;
    if (isExchange(document)) builder?.addExchange(document, "");
    groups.push({ list: [document], builder });
  }
  return groups.map(({ list }) => (list.length === 1 ? list[0] : list));
}

function notATranscript(): EvidenceError {
  return new EvidenceError("This is no transcript of tool calls.", {
    expected:
      "messages with roles, as in a chat request or response, with the tools that were advertised",
  });
}
