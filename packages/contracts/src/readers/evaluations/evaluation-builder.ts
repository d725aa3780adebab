/** Gathers the cases of one evaluation, whoever wrote it. */

import type { EvaluationCase, EvaluationContent } from "../../model/evaluation.ts";
import { cutText } from "../../text/cut-text.ts";
import { textHash } from "../../text/text-hash.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FormatInput } from "../format.ts";
import { textOf } from "../loose-value.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { evaluationLimits } from "./limits.ts";

/** What one case got, as a dialect tells it. */
export interface Scored {
  /** Equal inputs have equal ones; long ones are cut and hashed. */
  readonly id: string;
  readonly components: Readonly<Record<string, string | undefined>>;
  /** Numbers, truths, or words such as `C` and `pass`; others are no scores. */
  readonly scores: Readonly<Record<string, unknown>>;
  readonly error?: string | undefined;
}

/** What is known of the whole run. */
export interface RunParts {
  readonly suite?: string | undefined;
  /** A date, or digits since 1970. */
  readonly ran?: unknown;
}

const idLengthMax = 400;

export class EvaluationBuilder {
  readonly #tool: string;
  readonly #input: Pick<FormatInput, "name" | "folder">;
  readonly #variants = new Map<string, EvaluationContent["variants"][number]>();
  readonly #places = new Map<string, number>();
  readonly #cases: EvaluationCase[] = [];
  #unscoredCount = 0;

  constructor(tool: string, input: Pick<FormatInput, "name" | "folder">) {
    this.#tool = tool;
    this.#input = input;
  }

  add({ id, components, scores, error }: Scored): void {
    const numbers = numbersOf(scores);
    if (id === "" || (Object.keys(numbers).length === 0 && error === undefined)) {
      this.#unscoredCount += 1;
      return;
    }
    if (this.#cases.length >= evaluationLimits.caseCountMax) {
      throw new EvidenceError("The evaluation has too many cases.", {
        expected: `at most ${evaluationLimits.caseCountMax} cases`,
      });
    }
    const item: EvaluationCase = {
      id: caseIdOf(id),
      variant: this.#variantOf(components),
      scores: numbers,
    };
    this.#cases.push(
      error === undefined ? item : { ...item, error: cutText(error.toWellFormed(), 1_024) },
    );
  }

  content({ suite = "", ran }: RunParts): EvaluationContent {
    if (this.#cases.length === 0) {
      throw new EvidenceError("The evaluation has no case with a score.", {
        expected: "cases with an id or an input, and a score or whether they passed",
      });
    }
    const { name, folder } = this.#input;
    const file = name.replace(/(?:\.(?:jsonl?|ndjson|eval|csv|gz|txt))+$/i, "");
    const ranMicros = typeof ran === "number" ? timeOfNumber(ran) : timeOfText(textOf(ran));
    return {
      kind: "evaluation",
      tool: this.#tool,
      suite: cutText(suite.toWellFormed(), 256),
      run: cutText((folder === undefined ? file : `${folder}/${file}`).toWellFormed(), 512),
      ...(ranMicros === undefined ? {} : { ranMicros }),
      variants: [...this.#variants.values()],
      cases: this.#cases,
    };
  }

  notes(): string[] {
    return this.#unscoredCount === 0
      ? []
      : [`Records without an input or a score were left out: ${this.#unscoredCount}.`];
  }

  #variantOf(given: Scored["components"]): number {
    const components: Record<string, string> = {};
    for (const [key, value] of Object.entries(given))
      if (value !== undefined && value !== "")
        components[key] = value.length <= 512 ? value.toWellFormed() : caseIdOf(value);
    const key = JSON.stringify(components);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#places.size >= evaluationLimits.variantCountMax) {
      throw new EvidenceError("The evaluation has too many variants.", {
        expected: `at most ${evaluationLimits.variantCountMax} variants`,
      });
    }
    const place = this.#places.size;
    this.#places.set(key, place);
    const name = cutText(Object.values(components).map(shortName).join(", "), 512);
    this.#variants.set(key, { name, components });
    return place;
  }
}

function shortName(value: string): string {
  return value.length <= 120 ? value : `${cutText(value, 119)}…`;
}

/** A text that is the same for the same input, and short. */
function caseIdOf(text: string): string {
  const whole = text.trim().toWellFormed();
  return whole.length <= idLengthMax
    ? whole
    : `${cutText(whole, idLengthMax)} #${textHash(whole).toString(36)}`;
}

function numbersOf(scores: Scored["scores"]): Record<string, number> {
  const numbers: [string, number][] = [];
  for (const [name, value] of Object.entries(scores)) {
    const number = scoreOf(value);
    if (number === undefined || name === "") continue;
    numbers.push([cutText(name.toWellFormed(), 256), number]);
    if (numbers.length === evaluationLimits.scoreCountMax) break;
  }
  // `fromEntries` makes own fields of every name, whatever it is.
  return Object.fromEntries(numbers);
}

const words: ReadonlyMap<string, number> = new Map([
  ...["true", "pass", "passed", "yes", "correct", "success", "c"].map((word) => [word, 1] as const),
  ...["false", "fail", "failed", "no", "incorrect", "failure", "i", "n"].map(
    (word) => [word, 0] as const,
  ),
  ["partial", 0.5],
  ["p", 0.5],
]);

/** Truths are 1 and 0, the letters of Inspect as it counts them. */
function scoreOf(value: unknown): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.length > 32) return undefined;
  const word = value.trim().toLowerCase();
  if (/^[-+]?\d{1,15}(?:\.\d{1,15})?(?:e[-+]?\d{1,3})?$/.test(word)) return Number(word);
  return words.get(word);
}
