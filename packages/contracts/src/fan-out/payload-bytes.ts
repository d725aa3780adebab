/** How many bytes a span's call or request brought, in every convention that records it. */

import type { AttributeValue, Attributes, Span } from "../model/span.ts";
import { mark } from "../traces/marks.ts";

const responseNames = [
  "http.response.body.size",
  "http.response.size",
  "http.response_content_length",
  "http.response_content_length_uncompressed",
  "http.decoded_response_content_length",
  "http.response_transfer_size",
  "http.response.header.content-length",
  "http.response.header.content_length",
  "http.response.headers.content-length",
  "rpc.response.size",
  "rpc.server.response.size",
  "rpc.client.response.size",
  "rpc.response.body.size",
  "db.response.size",
  "db.response.body.size",
  "db.response.size_bytes",
] as const;

const messageNames = [
  "messaging.message.body.size",
  "messaging.message.envelope.size",
  "messaging.message.payload_size_bytes",
  "messaging.message_payload_size_bytes",
] as const;

/** Bytes of the answer that a call brought or a request was given; `undefined` when none are recorded. */
export function responseBytesOf(span: Span, marks: number): number | undefined {
  if ((marks & mark.answerBytes) !== 0) {
    const count = firstCount(span.attributes, responseNames);
    if (count !== undefined) return count;
  }
  return (marks & mark.event) === 0 ? undefined : bytesOfMessages(span);
}

/** Bytes of a message that was published or taken; `undefined` when none are recorded. */
export function messageBytesOf(span: Span, marks: number): number | undefined {
  const needed = mark.size | mark.messaging;
  return (marks & needed) === needed ? firstCount(span.attributes, messageNames) : undefined;
}

function firstCount(attributes: Attributes, names: readonly string[]): number | undefined {
  for (const name of names) {
    const count = countOf(attributes[name]);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** A number, digits as text, or the one value of a header. */
function countOf(value: AttributeValue | undefined): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value === "string") {
    return /^\d[\d_]{0,18}$/.test(value) ? Number(value.replaceAll("_", "")) : undefined;
  }
  return Array.isArray(value) && value.length === 1 ? countOf(value[0]) : undefined;
}

/** Instrumentations of gRPC record an event for each message: what a client received, or a server sent. */
function bytesOfMessages({ events, kind }: Span): number | undefined {
  const wanted = kind === "server" ? "SENT" : "RECEIVED";
  let bytes: number | undefined;
  for (const { attributes } of events) {
    const type = attributes["message.type"] ?? attributes["rpc.message.type"];
    if (type !== wanted) continue;
    const size = firstCount(attributes, [
      "message.uncompressed_size",
      "rpc.message.uncompressed_size",
      "message.compressed_size",
      "rpc.message.compressed_size",
    ]);
    if (size !== undefined) bytes = (bytes ?? 0) + size;
  }
  return bytes;
}

/** Whether what is sent is a file, an export or a stream: large by nature, and nobody waits for all of it. */
export function isFile(span: Span, address: string): boolean {
  // What is fetched before it is asked for keeps nobody waiting.
  if (span.attributes["http.request.prefetch"] === true) return true;
  const disposition = span.attributes["http.response.header.content-disposition"];
  if (disposition !== undefined && /\battachment\b/i.test(JSON.stringify(disposition))) return true;
  const type = span.attributes["http.response.header.content-type"];
  const typeText = typeof type === "string" ? type : JSON.stringify(type ?? "");
  if (
    /image|video|audio|font|zip|octet-stream|pdf|event-stream|parquet|javascript|css/.test(typeText)
  ) {
    return true;
  }
  if (namesFile(address)) return true;
  return /\b(?:downloads?|exports?|uploads?|blobs?|files?|attachments?|assets|static|media|images?|backups?|artifacts?|getobject|putobject)\b/i.test(
    address,
  );
}

/** Whether the last part of an address is the name of a file that is no document of data. */
export function namesFile(address: string): boolean {
  // The data of a page that Next.js fetches ahead for a link is a file of the build, too.
  if (/\/(?:_next\/(?:data|static|image)\b|__nextjs)/.test(address)) return true;
  return /\.(?:zip|gz|tgz|tar|pdf|png|jpe?g|gif|webp|avif|ico|svg|mp[34]|webm|woff2?|ttf|m?js|css|map|wasm|parquet|csv|xlsx?|bin|safetensors|gguf|onnx|iso|jar|whl)(?:[?#]|$)/i.test(
    address,
  );
}
