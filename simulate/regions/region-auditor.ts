/**
 * Audits regions from what was asked and answered, with no part of the product: who spent what, who knew of which edit, and
 * what the home's ledger says in the end.
 */

/** An edit of a grant document as the auditor sees it. */
export interface AuditedEdit {
  readonly number: number;
  readonly key: string;
  readonly region: string;
  /** What it says, as text; of a grant, its id and amount. */
  readonly saying: string;
  readonly grantedMicros: bigint;
}

/** How a region stands in the end. */
export interface RegionEnd {
  readonly region: string;
  readonly creditMicros: bigint;
  readonly holdsMicros: bigint;
  readonly debtMicros: bigint;
  /** What the home still holds for it. */
  readonly escrowMicros: bigint;
  /** By key, what each document holds to be true. */
  readonly documents: ReadonlyMap<string, string>;
  readonly conflicts: ReadonlySet<string>;
}

interface Use {
  readonly costs: bigint[];
}

export class RegionAuditor {
  readonly violations: string[] = [];
  /** Credit that the home's ledger was asked to give, and did. */
  #creditMicros = 0n;
  #lineMicros = 0n;
  #spentMicros = 0n;
  #openMicros = 0n;
  readonly #keyOpenMicros = new Map<string, bigint>();
  readonly #keySpentMicros = new Map<string, bigint>();
  readonly #keyLimits = new Map<string, bigint>();
  readonly #uses = new Map<string, Use>();
  readonly #edits: AuditedEdit[] = [];
  readonly #knownBy = new Map<string, Set<AuditedEdit>>();
  readonly #before = new Map<AuditedEdit, ReadonlySet<AuditedEdit>>();
  readonly #lots = new Map<string, bigint>();
  /** By region, until when the home wants back what it lent, by its clock. */
  readonly #recalledUntilMs = new Map<string, number>();

  /** The home's ledger gave credit. */
  granted(lotId: string, micros: bigint): void {
    if (this.#lots.has(lotId)) this.violations.push(`${lotId} was granted twice`);
    this.#lots.set(lotId, micros);
    this.#creditMicros += micros;
  }

  /** The home's ledger may be used beyond its credit so far; what was higher may still be lent. */
  lined(micros: bigint): void {
    if (micros > this.#lineMicros) this.#lineMicros = micros;
  }

  /** A hard budget of a key holds at the home; what was higher may still be lent. */
  limited(keyId: string, micros: bigint): void {
    if (micros > (this.#keyLimits.get(keyId) ?? 0n)) this.#keyLimits.set(keyId, micros);
  }

  /** The home has written down that it wants back what it lent. */
  recalled(region: string, untilMs: number): void {
    this.#recalledUntilMs.set(region, untilMs);
  }

  /** The home's ledger lent to a region, at a time of the same clock. */
  lent(region: string, lent: { readonly micros: bigint; readonly atMs: number }): void {
    if (lent.micros > 0n && lent.atMs < (this.#recalledUntilMs.get(region) ?? 0))
      this.violations.push(
        `${region} was lent ${lent.micros} at ${lent.atMs} ms while it was recalled`,
      );
  }

  /** A region admitted an operation of at most so much. */
  admitted(region: string, operation: { keyId: string; boundMicros: bigint; atMs: number }): void {
    const { keyId, boundMicros, atMs } = operation;
    this.#openMicros += boundMicros;
    add(this.#keyOpenMicros, keyId, boundMicros);
    const usedMicros = this.#spentMicros + this.#openMicros;
    const limitMicros = this.#creditMicros + this.#lineMicros;
    if (usedMicros > limitMicros)
      this.violations.push(
        `${region} admitted at ${atMs} ms: ${usedMicros} are spent or open, of ${limitMicros}`,
      );
    const keyMicros = of(this.#keySpentMicros, keyId) + of(this.#keyOpenMicros, keyId);
    const keyLimit = this.#keyLimits.get(keyId);
    if (keyLimit !== undefined && keyMicros > keyLimit)
      this.violations.push(`${region} admitted ${keyMicros} of ${keyId}, of ${keyLimit}`);
  }

  /** An admitted operation ended. What a provider reports beyond the bound is nobody's overspending. */
  served(use: { usageId: string; keyId: string; boundMicros: bigint; costMicros: bigint }): void {
    const { usageId, keyId, boundMicros, costMicros } = use;
    const withinMicros = costMicros < boundMicros ? costMicros : boundMicros;
    this.#openMicros -= boundMicros;
    add(this.#keyOpenMicros, keyId, -boundMicros);
    const known = this.#uses.get(usageId);
    // The same use again is charged once, and what was paid for it a second time comes back.
    if (known === undefined) {
      this.#spentMicros += withinMicros;
      add(this.#keySpentMicros, keyId, withinMicros);
      this.#uses.set(usageId, { costs: [costMicros] });
    } else known.costs.push(costMicros);
  }

  /** An administrator was told that an edit is written down. */
  edited(edit: AuditedEdit): void {
    const known = this.#knownOf(edit.region);
    this.#before.set(edit, new Set(known));
    known.add(edit);
    this.#edits.push(edit);
  }

  /** What a region knows at this moment, as a message carries it. */
  knowledgeOf(region: string): ReadonlySet<AuditedEdit> {
    return new Set(this.#knownOf(region));
  }

  /** A region heard of what another one knew. */
  heard(region: string, knowledge: ReadonlySet<AuditedEdit>): void {
    const known = this.#knownOf(region);
    for (const edit of knowledge) known.add(edit);
  }

  /** Whether an edit of this document is under way that a region does not know of. */
  isConcurrent(edit: AuditedEdit): boolean {
    const before = this.#before.get(edit);
    return this.#edits.some(
      (other) => other.key === edit.key && other !== edit && before?.has(other) === false,
    );
  }

  /** Compares the end with all that was seen. */
  conclude(end: {
    readonly usedMicros: bigint;
    readonly sumMicros: bigint;
    readonly charged: ReadonlyMap<string, bigint>;
    readonly regions: readonly RegionEnd[];
  }): void {
    if (end.sumMicros !== 0n) this.violations.push(`the home's accounts sum to ${end.sumMicros}`);
    let chargedMicros = 0n;
    for (const [usageId, { costs }] of this.#uses) {
      const micros = end.charged.get(usageId);
      if (micros === undefined && costs.some((cost) => cost > 0n))
        this.violations.push(`${usageId} cost ${costs.join()} and was not charged at home`);
      else if (micros !== undefined && !costs.includes(micros))
        this.violations.push(`${usageId} cost ${costs.join()} and was charged ${micros} at home`);
      chargedMicros += micros ?? 0n;
    }
    if (chargedMicros !== end.usedMicros)
      this.violations.push(`${end.usedMicros} count as used at home, of ${chargedMicros}`);
    for (const region of end.regions) this.#concludeRegion(region);
    this.#concludeGrants();
  }

  #concludeRegion(end: RegionEnd): void {
    const { region, creditMicros, holdsMicros, debtMicros, escrowMicros } = end;
    const hereMicros = creditMicros + holdsMicros - debtMicros;
    if (hereMicros !== escrowMicros)
      this.violations.push(
        `${region} has ${hereMicros}, and the home holds ${escrowMicros} for it`,
      );
    for (const key of new Set(this.#edits.map((edit) => edit.key))) {
      const last = this.#lastEdits(key);
      const sayings = new Set(last.map((edit) => edit.saying));
      const isExpected = sayings.size > 1;
      if (isExpected !== end.conflicts.has(key))
        this.violations.push(
          `${region} ${isExpected ? "does not flag" : "flags"} ${key}, of which ${[...sayings].join(" and ")} were said last`,
        );
      const expected = strictest(sayings);
      if (!key.startsWith("grant/") && end.documents.get(key) !== expected)
        this.violations.push(
          `${region} holds ${end.documents.get(key)} of ${key} and must hold ${expected}`,
        );
    }
  }

  /** Of all that was given under one id, each amount once: nothing is lost, and nothing is given twice. */
  #concludeGrants(): void {
    const given = new Map<string, bigint>();
    for (const { key, saying, grantedMicros } of this.#edits)
      if (grantedMicros > 0n) given.set(`${key} ${saying}`, grantedMicros);
    const expected = [...given.values()].sort(compare);
    const actual = [...this.#lots.values()].sort(compare);
    if (expected.join() !== actual.join())
      this.violations.push(`grants of ${expected.join()} were made, and ${actual.join()} arrived`);
  }

  /** The edits of a document that no other edit of it knew of. */
  #lastEdits(key: string): AuditedEdit[] {
    const edits = this.#edits.filter((edit) => edit.key === key);
    return edits.filter(
      (edit) => !edits.some((other) => this.#before.get(other)?.has(edit) === true),
    );
  }

  #knownOf(region: string): Set<AuditedEdit> {
    const known = this.#knownBy.get(region) ?? new Set();
    this.#knownBy.set(region, known);
    return known;
  }
}

/** Sayings of limits are numbers as text; the lowest holds. */
function strictest(sayings: ReadonlySet<string>): string | undefined {
  return [...sayings].sort((left, right) => compare(BigInt(left), BigInt(right)))[0];
}

function compare(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function of(map: ReadonlyMap<string, bigint>, key: string): bigint {
  return map.get(key) ?? 0n;
}

function add(map: Map<string, bigint>, key: string, micros: bigint): void {
  map.set(key, of(map, key) + micros);
}
