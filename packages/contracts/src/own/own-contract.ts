/** Makes a contract of its definition: asks its expressions over every item and gathers the answers by subject. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Finding, Subject } from "../model/finding.ts";
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
/** Steps for the name of one item's subject. */
const nameStepsMax = 10_000;
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
        description:
          "Subjects that findings are given for, the gravest first; one finding stands for the rest.",
      },
    },
    check: (snapshot, options, found) => new Asking(compiled, options).findings(snapshot, found),
  });
}

/** What was seen of one subject. */
interface Answers {
  readonly subject: Subject;
  heldCount: number;
  readonly broken: Item[];
  readonly unjudged: { readonly item: Item; readonly reason: string }[];
  first: EvidenceReference;
}

class Asking {
  readonly #compiled: CompiledContract;
  readonly #options: OwnContractOptions;
  /** By kind, then by name. */
  readonly #bySubject = new Map<string, Map<string, Answers>>();
  #stepsLeft: number;
  #askedCount = 0;

  constructor(compiled: CompiledContract, options: OwnContractOptions) {
    this.#compiled = compiled;
    this.#options = options;
    this.#stepsLeft = options.stepsPerCheckMax;
  }

  findings(snapshot: Snapshot, found: (parts: FindingParts) => Finding): Finding[] {
    const isCut = !this.#askAll(snapshot);
    const subjects = [...this.#bySubject.values()]
      .flatMap((named) => [...named.values()])
      // What was not asked about any more may be of any subject, so none of them is known to hold.
      .filter((answers) => !isCut || verdictOf(answers) !== "holds")
      .sort(graverFirst);
    const told = subjects.slice(0, this.#options.subjectCountMax);
    const findings = told.sort(byName).map((answers) => found(this.#partsOf(answers)));
    const rest = subjects.slice(this.#options.subjectCountMax);
    if (rest.length > 0) findings.push(found(this.#partsOfRest(rest)));
    if (isCut) findings.push(found(this.#partsOfCut()));
    return findings;
  }

  /** Asks about every item; `false` when the steps of the whole check ended first. */
  #askAll(snapshot: Snapshot): boolean {
    for (const item of this.#compiled.population.items(snapshot)) {
      const given = Math.min(this.#stepsLeft, this.#options.stepsPerItemMax);
      const isLast = given === this.#stepsLeft;
      const steps = new Steps(given);
      const isDone = withinSteps(() => this.#ask(item, steps)) === true;
      this.#stepsLeft -= given - Math.max(0, steps.left);
      if (isDone) continue;
      if (isLast) return false;
      this.#note(item, (answers) => {
        answers.unjudged.push({
          item,
          reason: `an answer within ${given} steps, the most that one item may take`,
        });
      });
    }
    return true;
  }

  #ask(item: Item, steps: Steps): true {
    const { where, expect } = this.#compiled;
    const concerns = where === undefined ? true : where.evaluate(item.values, steps);
    if (concerns === false || (concerns instanceof Fault && concerns.kind === "missing")) {
      return true;
    }
    const answer = concerns === true ? expect.evaluate(item.values, steps) : concerns;
    this.#note(item, (answers) => {
      if (answer === true) answers.heldCount += 1;
      else if (answer === false) answers.broken.push(item);
      else answers.unjudged.push({ item, reason: reasonOf(answer, concerns === true) });
    });
    return true;
  }

  #note(item: Item, write: (answers: Answers) => void): void {
    this.#askedCount += 1;
    const subject = this.#subjectOf(item);
    let named = this.#bySubject.get(subject.kind);
    if (named === undefined) this.#bySubject.set(subject.kind, (named = new Map()));
    let answers = named.get(subject.name);
    if (answers === undefined) {
      answers = { subject, heldCount: 0, broken: [], unjudged: [], first: item.reference };
      named.set(subject.name, answers);
    }
    write(answers);
  }

  /** The subject has steps of its own: an item that took all of its steps still counts for the right one. */
  #subjectOf(item: Item): Subject {
    const { subject, document } = this.#compiled;
    if (subject === undefined) return item.subject;
    const steps = new Steps(nameStepsMax);
    const name = withinSteps(() => subject.evaluate(item.values, steps));
    this.#stepsLeft = Math.max(0, this.#stepsLeft - nameStepsMax + Math.max(0, steps.left));
    if (typeof name !== "string" || name === "") return item.subject;
    // Items of several kinds may be gathered under one name, and the first of them says nothing about the others.
    return { kind: document.over, name };
  }

  #partsOf(answers: Answers): FindingParts {
    const { document, message, fix } = this.#compiled;
    const { subject, heldCount, broken, unjudged } = answers;
    const { name } = subject;
    const count = heldCount + broken.length + unjudged.length;
    const base = {
      subject,
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

  /** What is said of the subjects that no finding of their own is given for. */
  #partsOfRest(rest: readonly Answers[]): FindingParts {
    const { document } = this.#compiled;
    const { subjectCountMax } = this.#options;
    const broken = rest.flatMap((answers) => answers.broken);
    const unjudged = rest.flatMap((answers) => answers.unjudged);
    const base = {
      subject: { kind: "contract", name: document.id },
      actual: `${plural(rest.length, "subject")} beside the ${subjectCountMax} that findings are given for`,
      measures: { subjectCount: rest.length, violatedCount: broken.length },
    };
    if (broken.length > 0) {
      return {
        ...base,
        verdict: "violated",
        title: `${document.id} is violated by more subjects than findings are given for.`,
        causeKind: document.causeKind ?? "configuration",
        evidence: broken.slice(0, evidenceCountMax).map((item) => item.reference),
      };
    }
    if (unjudged.length > 0) {
      return {
        ...base,
        verdict: "inconclusive",
        title: `${document.id} has more subjects than findings are given for, and not all can be judged.`,
        missing: unjudged.map(({ reason }) => reason),
        evidence: unjudged.slice(0, evidenceCountMax).map(({ item }) => item.reference),
      };
    }
    return {
      ...base,
      verdict: "holds",
      title: `${document.id} holds for all further subjects.`,
      evidence: rest.slice(0, evidenceCountMax).map(({ first }) => first),
    };
  }

  /** What says that not everything was asked. */
  #partsOfCut(): FindingParts {
    const { id } = this.#compiled.document;
    return {
      verdict: "inconclusive",
      subject: { kind: "contract", name: id },
      title: `${id} used up its steps before it had asked about everything.`,
      actual: `${plural(this.#askedCount, "item")} judged; what is left may be of any subject`,
      missing: [
        `an expression that takes fewer steps, or a larger stepsPerCheckMax than ${this.#options.stepsPerCheckMax}`,
      ],
    };
  }
}

function verdictOf({ broken, unjudged }: Answers): Finding["verdict"] {
  if (broken.length > 0) return "violated";
  return unjudged.length > 0 ? "inconclusive" : "holds";
}

const verdictOrder: readonly Finding["verdict"][] = ["violated", "inconclusive", "holds"];

function graverFirst(left: Answers, right: Answers): number {
  const distance = verdictOrder.indexOf(verdictOf(left)) - verdictOrder.indexOf(verdictOf(right));
  return distance === 0 ? byName(left, right) : distance;
}

function byName({ subject: left }: Answers, { subject: right }: Answers): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return left.kind < right.kind ? -1 : Number(left.kind > right.kind);
}

/** What a function gives, or nothing where it takes more steps than it has. */
function withinSteps<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof StepsUsedUp)) throw error;
    return undefined;
  }
}

function filled(template: Template, item: Item): string {
  const text = withinSteps(() => template.fill(item.values, new Steps(wordStepsMax)));
  return text ?? "the words of this contract take too many steps";
}

function reasonOf(answer: unknown, isExpectation: boolean): string {
  const place = isExpectation ? "expect" : "where";
  if (answer instanceof Fault) return `${place}: ${answer.text}`;
  return `${place} must be true or false; it is ${typeof answer}`;
}
