/** Makes a contract of its definition: asks its expressions over every item and gathers the answers by subject. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import type { ContractDocument } from "./definition.ts";
import type { Expression } from "./expression/compile.ts";
import { Fault } from "./expression/fault.ts";
import { Steps, StepsUsedUp } from "./expression/steps.ts";
import type { Item, Population } from "./population.ts";
import type { Template } from "./template.ts";

/** The compiled expressions of one definition. */
export interface CompiledContract {
  readonly document: ContractDocument;
  readonly population: Population;
  readonly where: Expression | undefined;
  readonly expect: Expression;
  readonly subject: Expression | undefined;
  readonly message: Template | undefined;
  readonly fix: Template | undefined;
}

interface OwnContractOptions {
  readonly stepsPerItemMax: number;
  readonly stepsPerCheckMax: number;
  readonly subjectCountMax: number;
}

/** Steps for the words of one finding. */
const wordStepsMax = 100_000;
const evidenceCountMax = 50;

/** The contract of a compiled definition. */
export function ownContract(compiled: CompiledContract): Contract {
  const { document, population } = compiled;
  return defineContract<OwnContractOptions>({
    id: document.id,
    version: document.version ?? 1,
    boundary: document.boundary,
    promise: document.promise,
    reads: [population.reads],
    options: {
      stepsPerItemMax: {
        default: 2_000_000,
        description: "Steps that the expressions may take for one item.",
      },
      stepsPerCheckMax: {
        default: 100_000_000,
        description: "Steps that the expressions may take for all items of a snapshot.",
      },
      subjectCountMax: {
        default: 1_000,
        description: "Subjects that findings are given for; of more, one finding says how many.",
      },
    },
    check: (snapshot, options, found) => new Asking(compiled, options).findings(snapshot, found),
  });
}

/** What was seen of one subject. */
interface Answers {
  readonly kind: string;
  readonly name: string;
  heldCount: number;
  readonly broken: Item[];
  readonly unjudged: { readonly item: Item; readonly reason: string }[];
  first: EvidenceReference;
}

class Asking {
  readonly #compiled: CompiledContract;
  readonly #options: OwnContractOptions;
  readonly #bySubject = new Map<string, Answers>();
  #askedCount = 0;
  #leftOutCount = 0;

  constructor(compiled: CompiledContract, options: OwnContractOptions) {
    this.#compiled = compiled;
    this.#options = options;
  }

  findings(snapshot: Snapshot, found: (parts: FindingParts) => Finding): Finding[] {
    const isCut = this.#askAll(snapshot);
    const findings = [...this.#bySubject.values()]
      .sort((left, right) => (left.name < right.name ? -1 : 1))
      .map((answers) => found(this.#partsOf(answers)));
    const rest = this.#restOf(isCut);
    return rest === undefined ? findings : [...findings, found(rest)];
  }

  /** Asks about every item; whether the steps of the whole check ended first. */
  #askAll(snapshot: Snapshot): boolean {
    const { stepsPerItemMax, stepsPerCheckMax } = this.#options;
    let left = stepsPerCheckMax;
    for (const item of this.#compiled.population.items(snapshot)) {
      if (left <= 0) return true;
      const given = Math.min(left, stepsPerItemMax);
      const steps = new Steps(given);
      try {
        this.#ask(item, steps);
      } catch (error) {
        if (!(error instanceof StepsUsedUp)) throw error;
        this.#note(item, item.subject.name, (answers) => {
          answers.unjudged.push({
            item,
            reason: `an answer within ${given} steps, the most that one item may take`,
          });
        });
      }
      left -= given - steps.left;
    }
    return false;
  }

  #ask(item: Item, steps: Steps): void {
    const { where, expect } = this.#compiled;
    const concerns = where === undefined ? true : where.evaluate(item.values, steps);
    if (concerns === false || (concerns instanceof Fault && concerns.kind === "missing")) return;
    const answer = concerns === true ? expect.evaluate(item.values, steps) : concerns;
    this.#askedCount += 1;
    this.#note(item, this.#nameOf(item, steps), (answers) => {
      if (answer === true) answers.heldCount += 1;
      else if (answer === false) answers.broken.push(item);
      else answers.unjudged.push({ item, reason: reasonOf(answer, concerns === true) });
    });
  }

  #nameOf(item: Item, steps: Steps): string {
    const name = this.#compiled.subject?.evaluate(item.values, steps);
    return typeof name === "string" && name !== "" ? name : item.subject.name;
  }

  #note(item: Item, name: string, write: (answers: Answers) => void): void {
    const known = this.#bySubject.get(name);
    if (known !== undefined) {
      write(known);
      return;
    }
    if (this.#bySubject.size >= this.#options.subjectCountMax) {
      this.#leftOutCount += 1;
      return;
    }
    const made: Answers = {
      kind: item.subject.kind,
      name,
      heldCount: 0,
      broken: [],
      unjudged: [],
      first: item.reference,
    };
    this.#bySubject.set(name, made);
    write(made);
  }

  #partsOf(answers: Answers): FindingParts {
    const { document, message, fix } = this.#compiled;
    const { kind, name, heldCount, broken, unjudged } = answers;
    const count = heldCount + broken.length + unjudged.length;
    const base = {
      subject: { kind, name },
      measures: {
        itemCount: count,
        violatedCount: broken.length,
        unjudgedCount: unjudged.length,
      },
      nextChecks: document.nextChecks ?? [],
    };
    const [worst] = broken;
    if (worst !== undefined) {
      const words =
        message === undefined ? `does not keep: ${document.promise}` : filled(message, worst);
      return {
        ...base,
        verdict: "violated",
        title: `${name}: ${words}`,
        actual: `${plural(broken.length, "item")} of ${count} ${broken.length === 1 ? "does" : "do"} not meet ${document.expect}`,
        causeKind: document.causeKind ?? "configuration",
        evidence: broken.slice(0, evidenceCountMax).map((item) => item.reference),
        fixes: fix === undefined ? [] : [{ description: filled(fix, worst) }],
      };
    }
    const [open] = unjudged;
    if (open !== undefined) {
      return {
        ...base,
        verdict: "inconclusive",
        title: `${name}: whether it keeps the promise is not known.`,
        actual: `${plural(unjudged.length, "item")} of ${count} cannot be judged`,
        missing: unjudged.map(({ reason }) => reason),
        evidence: unjudged.slice(0, evidenceCountMax).map(({ item }) => item.reference),
      };
    }
    return {
      ...base,
      verdict: "holds",
      title: `${name}: ${count === 1 ? "the one item keeps" : `all ${count} items keep`} the promise.`,
      actual: `${plural(count, "item")} checked`,
      evidence: [answers.first],
    };
  }

  /** What says that not everything was asked. */
  #restOf(isCut: boolean): FindingParts | undefined {
    if (!isCut && this.#leftOutCount === 0) return undefined;
    const { id } = this.#compiled.document;
    return {
      verdict: "inconclusive",
      subject: { kind: "contract", name: id },
      title: isCut
        ? `${id} used up its steps before it had asked about everything.`
        : `${id} has more subjects than findings are given for.`,
      actual: `${plural(this.#askedCount, "item")} asked about, ${this.#leftOutCount} of other subjects`,
      missing: [
        isCut
          ? `an expression that takes fewer steps, or a larger stepsPerCheckMax than ${this.#options.stepsPerCheckMax}`
          : `a subject that stands for more items, or a larger subjectCountMax than ${this.#options.subjectCountMax}`,
      ],
    };
  }
}

function filled(template: Template, item: Item): string {
  try {
    return template.fill(item.values, new Steps(wordStepsMax));
  } catch (error) {
    if (!(error instanceof StepsUsedUp)) throw error;
    return "the words of this contract take too many steps";
  }
}

function reasonOf(answer: unknown, isExpectation: boolean): string {
  const place = isExpectation ? "expect" : "where";
  if (answer instanceof Fault) return `${place}: ${answer.text}`;
  return `${place} must be true or false; it is ${typeof answer}`;
}
