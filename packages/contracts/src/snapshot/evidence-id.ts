/** The identity of evidence: the SHA-256 of its canonical content. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import type { EvidenceContent, EvidenceId } from "../model/evidence.ts";
import { writeCanonicalJson } from "./canonical-json.ts";

/** The id of a piece of evidence, computed from its content alone. */
export function evidenceIdOf(content: EvidenceContent): EvidenceId {
  const encoder = new TextEncoder();
  const hash = sha256.create();
  writeCanonicalJson(content, (piece) => hash.update(encoder.encode(piece)));
  return `sha256:${bytesToHex(hash.digest())}`;
}

/** The id that bytes have, when they are the canonical JSON of some content. */
export function evidenceIdOfBytes(bytes: Uint8Array): EvidenceId {
  return `sha256:${bytesToHex(sha256(bytes))}`;
}
