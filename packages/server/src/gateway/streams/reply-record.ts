/**
 * The records of a journal of replies. Each begins with its kind (one byte), the version of its form (one byte) and the
 * number of its reply (four bytes, little-endian). A part goes on with its index in the reply (four bytes) and its bytes, a dispatch
 * with nothing, the others with JSON in UTF-8.
 */

import { parseForeignJson } from "@faultline/contracts/json";

import type { KeptHead, ReplyEnd, ReplyFacts } from "./reply-facts.ts";

export type ReplyRecord =
  | { readonly kind: "begin"; readonly number: number; readonly facts: ReplyFacts }
  /** From here on the request may have reached a provider. */
  | { readonly kind: "dispatched"; readonly number: number }
  | { readonly kind: "head"; readonly number: number; readonly head: KeptHead }
  | {
      readonly kind: "part";
      readonly number: number;
      readonly index: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: "end"; readonly number: number; readonly end: ReplyEnd }
  /** Of a later version; it says nothing to this one. */
  | { readonly kind: "foreign"; readonly number: number };

const kinds = ["begin", "dispatched", "head", "part", "end"] as const;
const formVersion = 1;
const prefixBytes = 6;
const partPrefixBytes = 10;

/** The bytes of a record. */
export function encodeRecord(record: Exclude<ReplyRecord, { kind: "foreign" }>): Buffer {
  const body = bodyOf(record);
  const length = record.kind === "part" ? partPrefixBytes : prefixBytes;
  const bytes = Buffer.allocUnsafe(length + body.length);
  bytes[0] = kinds.indexOf(record.kind);
  bytes[1] = formVersion;
  bytes.writeUInt32LE(record.number, 2);
  if (record.kind === "part") bytes.writeUInt32LE(record.index, prefixBytes);
  body.copy(bytes, length);
  return bytes;
}

function bodyOf(record: Exclude<ReplyRecord, { kind: "foreign" }>): Buffer {
  switch (record.kind) {
    case "part":
      return record.bytes;
    case "dispatched":
      return Buffer.alloc(0);
    case "begin":
      return Buffer.from(JSON.stringify(record.facts));
    case "head":
      return Buffer.from(JSON.stringify(record.head));
    case "end":
      return Buffer.from(JSON.stringify(record.end));
  }
}

/** Reads a record. The log has checked that the bytes are those that were written; the version says in which form. */
export function decodeRecord(bytes: Uint8Array): ReplyRecord {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = view.length < prefixBytes ? 0 : view.readUInt32LE(2);
  const kind = kinds[view[0] ?? kinds.length];
  if (view.length < prefixBytes || view[1] !== formVersion) return { kind: "foreign", number };
  const json = (): unknown => parseForeignJson(view.toString("utf8", prefixBytes));
  switch (kind) {
    case "begin":
      // The version byte vouches for the shape, here and below: only `encodeRecord` writes it.
      return { kind, number, facts: json() as ReplyFacts };
    case "head":
      return { kind, number, head: json() as KeptHead };
    case "end":
      return { kind, number, end: json() as ReplyEnd };
    case "dispatched":
      return { kind, number };
    case "part": {
      const index = view.readUInt32LE(prefixBytes);
      return { kind, number, index, bytes: view.subarray(partPrefixBytes) };
    }
    default:
      return { kind: "foreign", number };
  }
}
