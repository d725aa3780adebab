/** Finds what tells one effect from another in a span: idempotency keys, ids of things, hashes of bodies. */

import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";
import { scalarOf, wordOf } from "./attribute-value.ts";
import { isCall } from "./edge.ts";
import type { Attributes } from "../model/span.ts";

export interface EffectKeys {
  /** The key that makes a repetition safe, when one was recorded. */
  readonly idempotencyKey: string | undefined;
  /** A hash of what was sent. */
  readonly payload: string | undefined;
  /** Names and values of the things that it is about, such as `order.id=42`, sorted. */
  readonly things: readonly string[];
}

const none: EffectKeys = { idempotencyKey: undefined, payload: undefined, things: [] };

const idempotencyNames =
  /idempot[a-z]*(?:[._-]?(?:key|token|id))?$|dedup[a-z]*[._-]?(?:key|id)$|client[._-]?(?:request[._-]?)?token$|paypal-request-id$/i;
const payloadNames =
  /(?:body|payload|request|content)[._-]?(?:hash|sha-?256|sha|digest|checksum|md5|fingerprint)$/i;
/** Things of which an effect makes one: to make it twice for the same is a fault. */
const thingNames =
  /(?:^|[._-]|(?<=[a-z])(?=[A-Z]))(?:order|payment|invoice|transfer|refund|booking|reservation|shipment|payout|purchase|checkout|withdrawal|deposit|claim|ticket|enrollment|registration|application|operation|business|dedup(?:lication)?|intent)[._-]?(?:id|key|number|no|ref(?:erence)?)$/i;
const ownThingNames = /^app\.(?:[\w.]+[._])?id$/i;
/** Who asks and where is no thing that an effect is about. */
const bystanders =
  /user|customer|session|account|tenant|org|product|item|sku|cart|device|client|request|trace|span|correlation|transaction|tracking|charge|response|result|created|confirmation|receipt|category|store|region|merchant|host|process|thread|feature|flag/i;

/** The keys of a span's attributes. */
export function effectKeysOf(attributes: Attributes): EffectKeys {
  let idempotencyKey: string | undefined;
  let payload: string | undefined;
  const things: string[] = [];
  for (const name in attributes) {
    const kind = kindsByName.get(name) ?? remember(name);
    if (kind === "other") continue;
    const value = scalarOf(attributes[name]);
    if (value === undefined || typeof value === "boolean") continue;
    if (kind === "key") idempotencyKey ??= String(value);
    else if (kind === "payload") payload ??= String(value);
    else things.push(`${name}=${value}`);
  }
  if (idempotencyKey === undefined && payload === undefined && things.length === 0) return none;
  return { idempotencyKey, payload, things: things.length > 1 ? things.sort() : things };
}

/**
 * Whether a call's own span records headers of its request, so that a key among them would be on record too. Names
 * that proxies and tracers write by themselves, and ids of requests, which may serve as a key, show nothing.
 */
export function recordsRequestHeaders(attributes: Attributes): boolean {
  let count = 0;
  for (const name in attributes) {
    const header = requestHeaders.exec(name)?.[1]?.toLowerCase().replaceAll("_", "-");
    if (header === undefined) continue;
    if (mayServeAsKey.test(header)) return false;
    if (!writtenByProxies.test(header)) count += 1;
  }
  return count > 0;
}

const requestHeaders =
  /^(?:http\.request\.headers?|rpc\.(?:grpc\.|connect_rpc\.)?request\.metadata)\.(.+)$/;
const mayServeAsKey =
  /(?:request|correlation|transaction|operation|message|event|client-?ref\w*|order)-?(?:id|key|token|number)$|nonce/;
const writtenByProxies =
  /^(?:x-(?:envoy|forwarded|b3|amzn|datadog|real|retry|attempt)\b.*|traceparent|tracestate|baggage|b3|uber-trace-id|grpc-.*|user-agent|host)$/;

/** The keys of a call, as its own span or the callee's tells them. */
export function effectKeysOfCall(trace: Trace, index: number): EffectKeys {
  const own = keysAt(trace, index);
  if (own.idempotencyKey !== undefined && (own.payload !== undefined || own.things.length > 0)) {
    return own;
  }
  let keys = own;
  for (const child of trace.children(index)) {
    if (isCall(trace, child)) continue;
    const other = keysAt(trace, child);
    keys = {
      idempotencyKey: keys.idempotencyKey ?? other.idempotencyKey,
      payload: keys.payload ?? other.payload,
      things: keys.things.length > 0 ? keys.things : other.things,
    };
  }
  return keys;
}

function keysAt(trace: Trace, index: number): EffectKeys {
  if ((trace.marksOf(index) & mark.effectKey) === 0) return none;
  return effectKeysOf(trace.span(index).attributes);
}

type NameKind = "key" | "payload" | "thing" | "other";

/** A memory and no state: the same few names come in every span. */
const kindsByName = new Map<string, NameKind>();
const namesRememberedMax = 10_000;

function remember(name: string): NameKind {
  if (kindsByName.size >= namesRememberedMax) kindsByName.clear();
  const kind = classify(name);
  kindsByName.set(name, kind);
  return kind;
}

function classify(name: string): NameKind {
  if (idempotencyNames.test(name)) return "key";
  if (payloadNames.test(name)) return /response/i.test(name) ? "other" : "payload";
  if (thingNames.test(name) || (ownThingNames.test(name) && !bystanders.test(name))) return "thing";
  return "other";
}

/** What tells a message from every other of its destination; `undefined` when the span does not say. */
export function messageIdOf(attributes: Attributes): string | undefined {
  const id = wordOf(
    attributes,
    "messaging.message.id",
    "messaging.message_id",
    "message.id",
    "message_id",
  );
  if (id !== undefined) return id;
  const offset = wordOf(
    attributes,
    "messaging.kafka.offset",
    "messaging.kafka.message.offset",
    "messaging.kafka.message.offset.value",
  );
  const partition = wordOf(
    attributes,
    "messaging.destination.partition.id",
    "messaging.kafka.destination.partition",
    "messaging.kafka.partition",
    "messaging.kafka.source.partition",
  );
  return offset === undefined || partition === undefined ? undefined : `${partition}:${offset}`;
}
