/** Facts of an environment, as readers gather them. */

import type { EnvironmentContent } from "../../model/evidence.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { environmentLimits } from "./limits.ts";

export class Facts {
  readonly #facts = new Map<string, string>();

  /** Adds a fact; of one that is told twice the last counts, as it does for a process. */
  add(name: string, value: string): void {
    if (this.#facts.size >= environmentLimits.factCountMax) {
      throw new EvidenceError("The environment has too many facts.", {
        expected: `at most ${environmentLimits.factCountMax} facts`,
      });
    }
    const key = cutText(name.toWellFormed(), environmentLimits.factNameLengthMax);
    this.#facts.set(key, cutText(value.toWellFormed(), environmentLimits.factLengthMax));
  }

  /** The facts as evidence of the environment of that name. */
  content(name: string): FileContent {
    return { contents: [this.environment(name)], notes: [] };
  }

  environment(name: string): EnvironmentContent {
    if (this.#facts.size === 0) {
      throw new EvidenceError("The file holds no fact of an environment.", {
        expected: "at least one name with a value",
        where: "line 1, column 1",
      });
    }
    return {
      kind: "environment",
      name: cutText(name.toWellFormed(), 256),
      facts: Object.fromEntries(this.#facts),
    };
  }
}

/** Words of a file's name that say what it holds, not of which environment. */
const contentWords =
  /^(?:env|environment|environ|printenv|dotenv|vars?|variables|pip|freeze|requirements|packages?|list|npm|node|nodejs|ls|versions?|process|report|go|mod|modules?|uname|os|release|locale|info|facts|txt|json|ya?ml|log|out|timedatectl)$/i;

/** The environment that a file is of, by its name: `production` of `.env.production` and `production-pip-freeze.txt`. */
export function environmentNameOf(fileName: string): string {
  const words = fileName
    .split(/[._]|-(?=\D)|\s/)
    .filter((word) => word !== "" && !contentWords.test(word));
  return words.length === 0 ? fileName.slice(0, 256) : words.join("-");
}
