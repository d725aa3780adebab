import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import type { Contract } from "./model/contract.ts";
import { boundaries } from "./model/finding.ts";
import { evidenceFormats } from "./readers/formats.ts";
import { contracts, controls } from "./registry.ts";

const docs = new URL("../../../docs/", import.meta.url);
const everyContract = [...contracts, ...controls];
const pageOf = ({ id }: Contract): string => `${id.replace("/", "-")}.md`;

/** The list of all contracts with their options, as Markdown. */
function referenceText(): string {
  const lines = [
    "# Contracts",
    "",
    "Made from the contracts themselves. `faultline contract explain ID` prints the same, with the page of the contract.",
  ];
  for (const boundary of boundaries) {
    const here = everyContract.filter((contract) => contract.boundary === boundary);
    if (here.length === 0) continue;
    lines.push("", `## ${boundary}`);
    for (const contract of here) lines.push("", ...contractLines(contract));
  }
  return `${lines.join("\n")}\n`;
}

function contractLines(contract: Contract): string[] {
  const { id, version, promise, reads, options } = contract;
  const asked = controls.includes(contract)
    ? " Run only when it is asked for, and as a control in cases."
    : "";
  return [
    `### [${id}](../contracts/${pageOf(contract)})`,
    "",
    `${promise} Version ${version}; reads ${reads.join(", ")}.${asked}`,
    ...(options.length === 0
      ? []
      : [
          "",
          "| option | default | meaning |",
          "| --- | --- | --- |",
          ...options.map(
            ({ name, default: standard, description }) =>
              `| \`${name}\` | ${typeof standard === "object" ? standard.join(", ") : String(standard)} | ${description} |`,
          ),
        ]),
  ];
}

describe("the reference of contracts", () => {
  it("is the one that is published; this file run by vitest with `--update` writes it anew", async () => {
    await expect(referenceText()).toMatchFileSnapshot("../../../docs/reference/contracts.md");
  });

  it.each(everyContract.map((contract): [string, Contract] => [contract.id, contract]))(
    "has a page for %s that says when it is inconclusive and names every option",
    (_id, contract) => {
      const url = new URL(`contracts/${pageOf(contract)}`, docs);
      expect(existsSync(url), url.pathname).toBe(true);
      const page = readFileSync(url, "utf8").replaceAll(/\s+/g, " ");
      expect(page).toContain(`# ${contract.id}`);
      expect(page).toContain(contract.promise.replace(/\.$/, ""));
      expect(page.toLowerCase()).toContain("inconclusive");
      for (const { name } of contract.options) expect(page, name).toContain(`\`${name}\``);
    },
  );

  it("has no page of a contract that does not exist", () => {
    const pages = new Set([...everyContract.map(pageOf), "own-contracts.md"]);
    expect(readdirSync(new URL("contracts/", docs)).filter((page) => !pages.has(page))).toEqual([]);
  });
});

describe("the page of formats", () => {
  it.each(evidenceFormats.map(({ name }) => name))("names %s", (name) => {
    expect(readFileSync(new URL("formats/evidence.md", docs), "utf8")).toContain(`\`${name}\``);
  });
});
