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

/** The hasher of this package, which runs everywhere; a runtime's own one is faster and gives the same. */
function createPortableHasher(): Hasher {
  const hash = sha256.create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => bytesToHex(hash.digest()),
  };
}

/** The id of a piece of evidence, computed from its content alone. */
export function evidenceIdOf(
  content: EvidenceContent,
  createHasher: CreateHasher = createPortableHasher,
  writer = new ContentWriter(),
): EvidenceId {
  const hasher = createHasher();
  writer.write(content, (bytes) => hasher.update(bytes));
  return `sha256:${hasher.digest()}`;
}

/** The id that bytes have, when they are the canonical JSON of some content. */
export function evidenceIdOfBytes(bytes: Uint8Array): EvidenceId {
  return `sha256:${bytesToHex(sha256(bytes))}`;
}
