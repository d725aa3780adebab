/** Compiled policies of the bundles that are in use, by the hash of the bundle. */

import type { BundleDocument } from "@faultline/protocol";

import { type CompiledPolicy, compilePolicy } from "./compiled-policy.ts";

/** Policies that are remembered; when the memory is full it starts anew. */
const policyCountMax = 500;

export class Policies {
  readonly #compiled = new Map<string, CompiledPolicy>();

  /** The policy of a bundle, compiled when it is first asked for; `undefined` for a bundle without one. */
  of({ hash, document }: { hash: string; document: BundleDocument }): CompiledPolicy | undefined {
    if (document.safety === undefined) return undefined;
    const known = this.#compiled.get(hash);
    if (known !== undefined) return known;
    if (this.#compiled.size >= policyCountMax) this.#compiled.clear();
    const compiled = compilePolicy(document.safety);
    this.#compiled.set(hash, compiled);
    return compiled;
  }
}
