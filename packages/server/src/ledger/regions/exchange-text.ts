/** The messages of an exchange as text, and back: validated, with amounts as `bigint`. */

import { parseForeignJson } from "@faultline/contracts/json";
import {
  PlatformError,
  RegionExchange,
  RegionExchangeReply,
  type UseDetails,
} from "@faultline/protocol";
import { Value } from "typebox/value";

import { readRecord, writeRecord } from "../store/micros-text.ts";
import type { ExchangeReply, ExchangeRequest } from "./exchange.ts";
import { documentKey, type GrantDocument } from "./grant-document.ts";

/** A request as it travels. */
export interface SentRequest extends Omit<ExchangeRequest, "region"> {
  readonly tenantId: string;
  readonly heardRevision: number;
  readonly details: Readonly<Record<string, UseDetails>>;
}

/** A reply as it travels. */
export interface SentReply extends ExchangeReply {
  /** Of the home's documents, the one that the last of these has. */
  readonly revision: number;
  /** The home wants back what it lent. */
  readonly isRecalled?: boolean;
}

/** The text of a request or a reply. */
export function exchangeText(message: SentRequest | SentReply): string {
  return writeRecord(message);
}

/** Throws `request_invalid`. */
export function readRequestText(text: string): SentRequest {
  const value = parse(text);
  if (!Value.Check(RegionExchange, value)) throw invalid();
  // The schema has the parts that the type names, with amounts as decimal text, which `readRecord` turns around.
  return withKnownKeys(readRecord(value) as SentRequest);
}

/** Throws `request_invalid`. */
export function readReplyText(text: string): SentReply {
  const value = parse(text);
  if (!Value.Check(RegionExchangeReply, value)) throw invalid();
  // As above; the answers are what the ledger of the home, whose seal was checked, gave.
  return withKnownKeys(readRecord(value) as SentReply);
}

/** A document stands once and is about what its key says, so that all versions of one are of one kind. Throws `request_invalid`. */
function withKnownKeys<Message extends { readonly documents: readonly GrantDocument[] }>(
  message: Message,
): Message {
  const isMisnamed = ({ key, versions }: GrantDocument): boolean =>
    versions.some(({ content }) =>
      content.kind === "grant" ? !key.startsWith("grant/") : key !== documentKey(content),
    );
  const keys = new Set(message.documents.map(({ key }) => key));
  if (keys.size < message.documents.length || message.documents.some(isMisnamed)) throw invalid();
  return message;
}

function parse(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch (cause) {
    throw new PlatformError("request_invalid", "The message of a region is not JSON.", { cause });
  }
}

function invalid(): PlatformError {
  return new PlatformError("request_invalid", "The message of a region is not of the known form.", {
    hint: "Both regions run the same version.",
  });
}
