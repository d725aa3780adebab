/** Texts with expressions in them, as in `took {{ span.durationMillis }} ms`. */

import { compileExpression, type Expression } from "./expression/compile.ts";
import type { VariableTypes } from "./expression/check.ts";
import { ExpressionError, Fault } from "./expression/fault.ts";
import type { Steps } from "./expression/steps.ts";
import { wordsOf } from "./expression/values.ts";
import { cutText } from "../text/cut-text.ts";

/** Length of what one expression puts into a text. */
const insertLengthMax = 500;

type Part = string | Expression;

export class Template {
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** The text for one item. What has no value is shown as `?`. */
  fill(values: readonly unknown[], steps: Steps): string {
    return this.#parts
      .map((part) => (typeof part === "string" ? part : shown(part.evaluate(values, steps))))
      .join("");
  }
}

/** Compiles a text. Throws an `ExpressionError` whose place counts from the beginning of the text. */
export function compileTemplate(text: string, variables: VariableTypes): Template {
  const parts: Part[] = [];
  let at = 0;
  for (let open = text.indexOf("{{"); open >= 0; open = text.indexOf("{{", at)) {
    const close = text.indexOf("}}", open);
    if (close < 0) {
      throw new ExpressionError("Two opening braces are never closed.", {
        start: open,
        end: text.length,
      });
    }
    parts.push(text.slice(at, open), compileAt(text.slice(open + 2, close), open + 2, variables));
    at = close + 2;
  }
  return new Template([...parts, text.slice(at)]);
}

function compileAt(text: string, offset: number, variables: VariableTypes): Expression {
  try {
    return compileExpression(text, variables);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(error.message, {
      start: error.start + offset,
      end: error.end + offset,
    });
  }
}

function shown(value: unknown): string {
  if (value === undefined || value === null || value instanceof Fault) return "?";
  return cutText(wordsOf(value, insertLengthMax), insertLengthMax);
}
