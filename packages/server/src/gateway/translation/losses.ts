/** What a translation could not carry: named one by one, never dropped silently. */

import { PlatformError } from "@faultline/protocol";

import { translationLimits } from "./translation-limits.ts";

/** Collects losses. The same loss in many places of a list is one line that names the first place. */
export class Losses {
  readonly #found = new Map<string, { readonly line: string; count: number }>();
  #leftOutCount = 0;

  add(at: string, reason: string): void {
    const key = `${at.replaceAll(/\/\d+(?=\/|$)/g, "/*")} ${reason}`;
    const known = this.#found.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#found.size === translationLimits.lossCountMax) this.#leftOutCount += 1;
    else this.#found.set(key, { line: `${at}: ${reason}`, count: 1 });
  }

  toLines(): readonly string[] {
    const lines = [...this.#found.values()].map(({ line, count }) =>
      count === 1 ? line : `${line} (${count} places)`,
    );
    if (this.#leftOutCount > 0) lines.push(`and ${this.#leftOutCount} more`);
    return lines;
  }
}

/** The refusal of a request that cannot be carried without another meaning. */
export function unsupported(at: string, reason: string): PlatformError {
  return new PlatformError("translation_unsupported", `"${at}" cannot be carried: ${reason}.`, {
    where: at,
    hint: "Leave it out, or ask for a model whose provider speaks this dialect.",
  });
}

/** The refusal of a request that breaks the schema of its own surface. */
export function invalidRequest(at: string, expected: string): PlatformError {
  return new PlatformError("request_invalid", `"${at}" must be ${expected}.`, { where: at });
}
