/** What frameworks say when an operator refuses the shapes or types that it is given. */

import { otherRefusals } from "./other-refusals.ts";
import { pytorchRefusals } from "./pytorch-refusals.ts";

/** A refusal: which operator, what it takes and what it got, in words. */
export interface Refusal {
  readonly operator: string;
  readonly expected: string;
  readonly actual: string;
}

const messages = [...pytorchRefusals, ...otherRefusals];
/** Words of which each message has one: a quick look spares the others. */
const hint =
  /shape|size|dimension|channels|multi-target|scalar type|same dtype|elements not|multiple of|repeat dims|n_classes|out of bounds|d(?:ata )?type/i;
const errorMark = /(?:Error|Exception|Warning)\b|status code|INVALID_ARGUMENT|\bfailed\b/;

/** What a text says of an operator that refused its inputs; nothing where it says no such thing. */
export function refusalIn(
  text: string,
): (Refusal & { readonly line: string; readonly at: number }) | undefined {
  if (!hint.test(text) || !errorMark.test(text)) return undefined;
  for (const { pattern, operator, expected, actual } of messages) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const filled = (template: string): string =>
      template.replaceAll(
        /\$(\d)/g,
        (_, digit: string) => found[Number(digit)]?.trim().replace(/,$/, "") ?? "",
      );
    const start = text.lastIndexOf("\n", found.index) + 1;
    const end = text.indexOf("\n", found.index + found[0].length);
    return {
      operator: filled(operator),
      expected: filled(expected),
      actual: filled(actual),
      line: text.slice(start, end < 0 ? text.length : end).trim(),
      at: found.index,
    };
  }
  return undefined;
}
