/** Gathers what a contract says about tools, and turns it into one finding for each kind of fault of each tool. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { CauseKind, Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";

/** One fault of one call. Equal faults of one tool stand in one finding with their number. */
export interface Offence {
  readonly tool: string;
  /** What kind of fault; faults of one kind are counted together. */
  readonly fault: string;
  /** What is wrong, as the end of a sentence that begins with the tool's name. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  readonly causeKind: CauseKind;
  readonly fix: string;
  readonly nextCheck: string;
  readonly evidence: readonly EvidenceReference[];
  readonly measures?: Readonly<Record<string, number | string | boolean>>;
}

/** Something that cannot be said, and what would have to be there. */
export interface Doubt {
  readonly tool: string;
  /** What is not known, as the end of a sentence that begins with the tool's name. */
  readonly what: string;
  readonly missing: string;
  readonly evidence: readonly EvidenceReference[];
}

/** How a contract words what is common to its findings. */
export interface Wording {
  /** The end of a sentence that begins with the tool's name and a number of calls. */
  readonly holds: string;
  readonly nextCheck: string;
}

/** Limits of what one finding quotes. */
const evidenceCountMax = 50;
const toolNameLengthMax = 200;

export class Verdicts {
  readonly #offences: Offence[] = [];
  readonly #doubts: Doubt[] = [];
  readonly #fitting = new Map<string, { count: number; readonly first: EvidenceReference }>();

  violated(offence: Offence): void {
    this.#offences.push(offence);
  }

  open(doubt: Doubt): void {
    this.#doubts.push(doubt);
  }

  fits(tool: string, reference: EvidenceReference): void {
    const known = this.#fitting.get(tool);
    if (known === undefined) this.#fitting.set(tool, { count: 1, first: reference });
    else known.count += 1;
  }

  /** Violations first, then doubts, then the tools without either, each by name. */
  findings(found: (parts: FindingParts) => Finding, wording: Wording): Finding[] {
    const spoken = new Set<string>();
    const byTool = (left: { tool: string }, right: { tool: string }): number =>
      compareText(left.tool, right.tool);
    const violated = [
      ...Map.groupBy(
        [...this.#offences].sort(byTool),
        ({ tool, fault }) => `${tool}\n${fault}`,
      ).values(),
    ].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      spoken.add(first.tool);
      return [found(violation(first, group))];
    });
    const doubtful = [...Map.groupBy([...this.#doubts].sort(byTool), ({ tool }) => tool)].flatMap(
      ([tool, group]) => {
        const [first] = group;
        if (first === undefined || spoken.has(tool)) return [];
        spoken.add(tool);
        return [found(doubtOf(first, group, wording))];
      },
    );
    const fitting = [...this.#fitting]
      .filter(([tool]) => !spoken.has(tool))
      .sort(([left], [right]) => compareText(left, right))
      .map(([tool, { count, first }]) =>
        found({
          verdict: "holds",
          subject: subjectOf(tool),
          title: `${nameOf(tool)}: ${plural(count, "call")} ${wording.holds}.`,
          actual: `${plural(count, "call")} ${wording.holds}`,
          measures: { callCount: count },
          evidence: [first],
        }),
      );
    return [...violated, ...doubtful, ...fitting];
  }
}

function violation(first: Offence, group: readonly Offence[]): FindingParts {
  const often = group.length === 1 ? "" : ` (${group.length} times)`;
  return {
    verdict: "violated",
    subject: subjectOf(first.tool),
    title: `${nameOf(first.tool)} ${first.what}${often}.`,
    expected: first.expected,
    actual: first.actual,
    causeKind: first.causeKind,
    measures: { fault: first.fault, faultCount: group.length, ...first.measures },
    evidence: group.flatMap((offence) => offence.evidence).slice(0, evidenceCountMax),
    fixes: [{ description: first.fix }],
    nextChecks: [first.nextCheck],
  };
}

function doubtOf(first: Doubt, group: readonly Doubt[], wording: Wording): FindingParts {
  return {
    verdict: "inconclusive",
    subject: subjectOf(first.tool),
    title: `${nameOf(first.tool)} ${first.what}.`,
    actual: `${plural(group.length, "call")} that cannot be judged`,
    measures: { callCount: group.length },
    evidence: group.flatMap((doubt) => doubt.evidence).slice(0, evidenceCountMax),
    missing: group.map((doubt) => doubt.missing),
    nextChecks: [wording.nextCheck],
  };
}

function subjectOf(tool: string): { kind: string; name: string } {
  return { kind: "tool", name: nameOf(tool) };
}

function nameOf(tool: string): string {
  return tool.slice(0, toolNameLengthMax);
}
