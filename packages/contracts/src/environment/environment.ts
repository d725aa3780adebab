/** Environments as the contract compares them: facts by name, with where each stands and how the environment fares. */

import type { EvidenceReference } from "../model/evidence.ts";
import { compareText } from "../text/compare-text.ts";

/** A fact: usually one value, several where replicas differ. */
export interface Fact {
  readonly values: ReadonlySet<string>;
  readonly reference: EvidenceReference;
}

/** Requests of one operation that an environment served. */
export interface Outcome {
  requestCount: number;
  failureCount: number;
  /** A request that failed. */
  failure?: EvidenceReference;
}

export class Environment {
  readonly name: string;
  readonly #facts = new Map<string, { values: Set<string>; reference: EvidenceReference }>();
  /** By operation. */
  readonly outcomes = new Map<string, Outcome>();

  constructor(name: string) {
    this.name = name;
  }

  get facts(): ReadonlyMap<string, Fact> {
    return this.#facts;
  }

  add(name: string, value: string, reference: EvidenceReference): void {
    const known = this.#facts.get(name);
    if (known === undefined) {
      if (this.#facts.size < factCountMax)
        this.#facts.set(name, { values: new Set([value]), reference });
    } else if (known.values.size < valueCountMax) known.values.add(value);
  }

  /** The value of a fact as a person reads it; nothing where it is not known. */
  valueOf(name: string): string | undefined {
    const fact = this.#facts.get(name);
    return fact === undefined ? undefined : [...fact.values].sort(compareText).join(" and ");
  }
}

/** Facts of one environment that are compared. */
const factCountMax = 50_000;
/** Values of one fact; more of them are no setting. */
const valueCountMax = 8;
