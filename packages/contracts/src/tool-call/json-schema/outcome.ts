/** What comes of holding one value against one schema. */

/** `unknown` when something that decides it could not be judged. */
export type SchemaVerdict = "valid" | "invalid" | "unknown";

/** One way in which a value does not fit. */
export interface Problem {
  readonly keyword: string;
  /** JSON pointer of the value. */
  readonly pointer: string;
  /** What the schema wants there. */
  readonly expected: string;
  /** What stands there, without quoting text that could be a secret. */
  readonly actual: string;
  /** The field that is missing or too much. */
  readonly field?: string;
  /** The type of what stands there, when the fault is its type. */
  readonly actualType?: string;
  /** Values that the schema allows, when there is a short list. */
  readonly allowed?: readonly unknown[];
}

/** The fields that one schema names for one object. */
export interface Declaration {
  readonly pointer: string;
  readonly names: readonly string[];
  /** The schema says what becomes of fields that it does not name. */
  readonly isOpen: boolean;
}

/** Limits of one check. */
export const schemaLimits = {
  stepCountMax: 2_000_000,
  depthMax: 150,
  problemCountMax: 50,
  doubtCountMax: 20,
  declarationCountMax: 10_000,
} as const;

/** Collects what the keywords of one schema say about one value. */
export class Outcome {
  verdict: SchemaVerdict = "valid";
  readonly problems: Problem[] = [];
  readonly doubts: string[] = [];
  readonly declarations: Declaration[] = [];
  /** Fields and items that some keyword looked at, for the unevaluated keywords. */
  readonly properties = new Set<string>();
  readonly items = new Set<number>();

  /** Notes a fault. */
  fail(problem: Problem): void {
    this.verdict = "invalid";
    if (this.problems.length < schemaLimits.problemCountMax) this.problems.push(problem);
  }

  /** Notes that something could not be judged. */
  doubt(what: string): void {
    if (this.verdict === "valid") this.verdict = "unknown";
    if (this.doubts.length < schemaLimits.doubtCountMax && !this.doubts.includes(what))
      this.doubts.push(what);
  }

  /** Takes over what another schema says that must hold as well, about this value or a part of it. */
  require(other: Outcome): void {
    for (const problem of other.problems) this.fail(problem);
    for (const doubt of other.doubts) this.doubt(doubt);
    if (other.verdict === "invalid") this.verdict = "invalid";
    if (other.verdict === "unknown" && this.verdict === "valid") this.verdict = "unknown";
    this.declare(other.declarations);
  }

  /** The same for a schema about this very value: what it looked at counts as looked at here. */
  requireInPlace(other: Outcome): void {
    this.require(other);
    this.absorb(other);
  }

  /** Takes over what another schema that fits has looked at. */
  absorb(other: Outcome): void {
    if (other.verdict === "invalid") return;
    for (const name of other.properties) this.properties.add(name);
    for (const index of other.items) this.items.add(index);
  }

  declare(declarations: readonly Declaration[]): void {
    const room = schemaLimits.declarationCountMax - this.declarations.length;
    this.declarations.push(...declarations.slice(0, Math.max(0, room)));
  }
}
