/** The failure contract as users read it, made from the matrix that the tests run. */

import {
  type Cell,
  type Expected,
  expectedOf,
  type Fault,
  faults,
  modes,
  pairs,
  type Point,
  points,
  reasonAgainst,
  reasons,
} from "./cells.ts";

const heading = `# What happens when a provider fails

Each row is a fault of the provider at one point of its reply; each cell is run by the tests, for callers and providers of both dialects and of either with the other.
Generated from the matrix of the tests.

- **whole**: the caller gets the reply as it was meant.
- **\`code\`**: a clean error with its status (\`docs/reference/errors.md\`); nothing of the reply was sent.
- **passed on**: the provider's own error, with its status and \`Retry-After\`.
- **then \`code\`**: what came so far, the dialect's error event, and no clean end.
- **then its error**: what came so far, the provider's own error event, once, and no clean end.
- **↻**: another attempt is made before the caller hears of it, as far as deadline and budget allow.
- **usage**: the record has the provider's figures, or what was seen to pass by (*observed*); without a mark nothing was used.
`;

/** Markdown with one table. */
export function describeContract(): string {
  const rows = faults.flatMap((fault) =>
    points.flatMap((point) => {
      const texts = modes.map((mode) => textOf(fault, point, mode));
      return texts.every((text) => text.startsWith("n/a"))
        ? []
        : [`| ${fault} | ${point} | ${texts.join(" | ")} |`];
    }),
  );
  const counted = countCells();
  const legend = Object.entries(reasons).map(([name, text]) => `- n/a *${name}*: ${text}`);
  return [
    heading,
    `${counted.run} cells are run, ${counted.not} cannot be, each for one of these reasons:`,
    "",
    ...legend,
    "",
    `| fault | where | ${modes.join(" | ")} |`,
    `| --- | --- | ${modes.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
  ].join("\n");
}

function countCells(): { readonly run: number; readonly not: number } {
  const all = faults.flatMap((fault) =>
    points.flatMap((point) => modes.map((mode) => ({ fault, point, mode, pair: pairs[0] }))),
  );
  const not = all.filter((cell) => reasonAgainst(cell) !== undefined).length;
  return { run: (all.length - not) * pairs.length, not: not * pairs.length };
}

function textOf(fault: Fault, point: Point, mode: Cell["mode"]): string {
  const cell: Cell = { fault, point, mode, pair: pairs[0] };
  const reason = reasonAgainst(cell);
  return reason === undefined ? wordsOf(expectedOf(cell)) : `n/a *${reason}*`;
}

function wordsOf({ outcome, isRetried, usage }: Expected): string {
  const again = isRetried ? " ↻" : "";
  const used = usage === "none" ? "" : usage === "observed" ? "; usage *observed*" : "; usage";
  switch (outcome.kind) {
    case "whole":
      return `whole${used}`;
    case "refused":
      return `\`${outcome.code}\`${again}${used}`;
    case "passed-on":
      return `${outcome.status} passed on${again}${used}`;
    case "cut":
      return `then \`${outcome.code}\`${used}`;
    case "reported":
      return `then its error${used}`;
  }
}
