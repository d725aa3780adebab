/** The identity of a bundle. */

import { hash } from "node:crypto";

import { canonicalJson } from "@faultline/contracts/model";
import type { BundleDocument } from "@faultline/protocol";

export interface HashedBundle {
  /** The canonical JSON of the document, which is what is hashed and stored. */
  readonly content: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly hash: string;
}

/** Hashes a document. The order of its fields, and how a file wrote it, make no difference. */
export function hashBundle(document: BundleDocument): HashedBundle {
  const content = canonicalJson(document);
  return { content, hash: `sha256:${hash("sha256", content, "hex")}` };
}
