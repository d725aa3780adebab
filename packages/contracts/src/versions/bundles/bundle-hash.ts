/** The identity of a bundle: the SHA-256 of the canonical JSON of its document. */

import type { BundleContent } from "../../model/bundle.ts";
import { canonicalJsonBytes } from "../../snapshot/canonical-json.ts";
import { evidenceIdOfBytes } from "../../snapshot/evidence-id.ts";

/** The hash that its store gave it, else that of its document. */
export function bundleHashOf({ hash, document }: BundleContent): string {
  return hash ?? hashOfDocument(document);
}

/** The hash that a document has. */
export function hashOfDocument(document: BundleContent["document"]): string {
  return evidenceIdOfBytes(canonicalJsonBytes(document));
}
