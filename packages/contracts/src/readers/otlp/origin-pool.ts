/** Resources and scopes, of which batch after batch repeats a few: each is one object, read once. */

import type { Attributes } from "../../model/span.ts";
import type { OtlpTally } from "./tally.ts";
import { type Origin, serviceOf, unknownService } from "./value.ts";

/** How many different ones are remembered; a system has fewer of them. */
const rememberedCountMax = 4_096;
/** One that is longer is read anew each time. */
const rememberedLengthMax = 65_536;

export interface Emitter {
  readonly attributes: Attributes;
  readonly service: string;
}

/** Who emitted the records of one block. */
export function originOf({ service, attributes }: Emitter, scope: Origin["scope"]): Origin {
  return { service, resource: attributes, scope };
}

/** A bounded memory by the text in which they came. */
export class OriginPool {
  readonly noResource: Emitter = { attributes: {}, service: unknownService };
  readonly noScope: Origin["scope"] = { name: "" };
  readonly #resources = new Map<string, Emitter>();
  readonly #scopes = new Map<string, Origin["scope"]>();

  /** The resource of this text; `read` runs when it is not remembered. One with something to note is not. */
  resource(text: string, tally: OtlpTally, read: () => Attributes): Emitter {
    const known = this.#resources.get(text);
    if (known !== undefined) return known;
    const { noteCount } = tally;
    const attributes = read();
    const emitter = { attributes, service: serviceOf(attributes) };
    if (tally.noteCount === noteCount) remember(this.#resources, text, emitter);
    return emitter;
  }

  /** As `resource`, for a scope. */
  scope(text: string, read: () => Origin["scope"]): Origin["scope"] {
    const scope = this.#scopes.get(text) ?? read();
    remember(this.#scopes, text, scope);
    return scope;
  }
}

function remember<T>(memory: Map<string, T>, text: string, value: T): void {
  if (text.length > rememberedLengthMax || memory.has(text)) return;
  if (memory.size >= rememberedCountMax) memory.clear();
  memory.set(text, value);
}
