import { describe, expect, it } from "vitest";

import { readOwnContracts } from "./read-own-contracts.ts";

const head =
  "contracts:\n  - id: a/b\n    promise: p\n    boundary: service-service\n    over: span\n";

/** The first problem of a file, with its place in front. */
function problemOf(text: string): string {
  const [problem] = readOwnContracts(text).problems;
  return problem === undefined ? "" : `${problem.where}: ${problem.message}`;
}

describe("a file of contracts", () => {
  it.each([
    ["a plain text over two lines", "    expect: span.name ==\n      spam.name\n", "7, column 7"],
    [
      "a quoted text over two lines",
      '    expect: "span.name ==\n      spam.name"\n',
      "7, column 7",
    ],
    ["escaped quotes", '    expect: "\\"a\\" == \\"b\\" || spam.name"\n', "6, column 32"],
    ["doubled quotes", "    expect: '''a'' == ''b'' || spam.name'\n", "6, column 32"],
    ["escapes of characters", `    expect: "'\\u00e9\\U0001F600' == spam.name"\n`, "6, column 36"],
    ["an escaped line break", '    expect: "span.name == \\\n      spam.name"\n', "7, column 7"],
    ["an anchor", "    expect: &e spam.name == ''\n", "6, column 16"],
  ])("places an error behind %s", (_what, text, place) => {
    expect(problemOf(head + text)).toContain(`line ${place}: expect: There is no variable spam`);
    expect(problemOf((head + text).replaceAll("\n", "\r\n"))).toContain(`line ${place}: expect:`);
    expect(problemOf(`\u{feff}${head}${text}`)).toContain(`line ${place}: expect:`);
  });

  it("places what is wrong behind an alias at the alias", () => {
    const fields = "promise: p, boundary: service-service, over: span, expect: spam.name";
    const { problems } = readOwnContracts(`contracts:\n  - &c {id: a/b, ${fields}}\n  - *c\n`);
    expect(problems.map(({ where }) => where)).toContain("line 3, column 5");
    expect(problems.map(({ where }) => where)).not.toContain("line 1, column 1");
  });

  it.each([
    [
      "an expression that YAML takes for a tag",
      "    expect: !has(span.name)\n",
      /put the expression in quotes/,
    ],
    ["several documents", `    expect: 'true'\n---\n${head}`, /^line 7, column 1: .*one document/],
    [
      "aliases within what they name",
      "    expect: 'true'\n    examples: [{name: x, verdict: holds, evidence: &a [*a]}]\n",
      /An alias stands within what it names/,
    ],
    [
      "a verdict that is none",
      "    expect: 'true'\n    examples: [{name: x, verdict: violatd, evidence: [a]}]\n",
      /must be one of violated, holds, inconclusive, nothing\. Did you mean violated\?/,
    ],
    [
      "a cause that is none",
      "    expect: 'true'\n    causeKind: config\n",
      /must be one of change, configuration/,
    ],
    ["lists that are nested too deeply", `    expect: ${"[".repeat(5_000)}`, /nested too deeply/],
  ])("tells of %s", (_what, text, words) => {
    expect(problemOf(head + text)).toMatch(words);
  });

  it("names every boundary where one is none, once", () => {
    const { problems } = readOwnContracts(
      `${head.replace("service-service", "code-hots")}    expect: 'true'\n`,
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(/dataset-loss.*code-host\. Did you mean code-host\?/);
  });
});
