/** The identity of evidence: the SHA-256 of its canonical content. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import type { EvidenceContent, EvidenceId } from "../model/evidence.ts";
import { ContentWriter } from "./canonical-content.ts";

/** Computes a SHA-256 over bytes that come in pieces. */
export interface Hasher {
  /** Takes bytes, which may change as soon as this returns. */
  update(bytes: Uint8Array): void;
  /** 64 hexadecimal digits in lower case. */
  digest(): string;
}
export type CreateHasher = () => Hasher;

/** The hasher that runs everywhere. */
export function createPortableHasher(): Hasher {
  const hash = sha256.create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => bytesToHex(hash.digest()),
  };
}

interface NodeCrypto {
  createHash(name: "sha256"): {
    update(bytes: Uint8Array): unknown;
    digest(encoding: "hex"): string;
  };
}

/** Node's own SHA-256 is many times as fast and gives the same; a browser has none that answers at once. */
const nodeCrypto = (
  globalThis as { process?: { getBuiltinModule?: (name: "node:crypto") => NodeCrypto } }
).process?.getBuiltinModule?.("node:crypto");

function createNodeHasher(crypto: NodeCrypto): Hasher {
  const hash = crypto.createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
}

const createFastHasher: CreateHasher =
  nodeCrypto === undefined ? createPortableHasher : () => createNodeHasher(nodeCrypto);

/** The id of a piece of evidence, computed from its content alone. */
export function evidenceIdOf(
  content: EvidenceContent,
  createHasher: CreateHasher = createFastHasher,
  writer = new ContentWriter(),
): EvidenceId {
  const hasher = createHasher();
  writer.write(content, (bytes) => hasher.update(bytes));
  return `sha256:${hasher.digest()}`;
}

/** The id that bytes have, when they are the canonical JSON of some content. */
export function evidenceIdOfBytes(bytes: Uint8Array): EvidenceId {
  const hasher = createFastHasher();
  hasher.update(bytes);
  return `sha256:${hasher.digest()}`;
}
