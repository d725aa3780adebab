/** `faultline contract`: lists the contracts, explains one, and tests files of own ones. */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  type Contract,
  contracts,
  controls,
  nearestName,
  plural,
  printable,
} from "@faultline/contracts";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { switchOption } from "../connection.ts";
import { layoutTable } from "../table.ts";

const shipped: readonly Contract[] = [...contracts, ...controls];

export const command: Command = {
  summary: "list the contracts, explain one, test contracts of your own",
  usage: ["contract list [--json]", "contract explain ID [--json]", "contract test FILE… [--json]"],
  options: { json: { type: "boolean", description: "print the result as JSON" } },
  stopsAtOnce: true,
  notes: [
    "list     every contract that ships, by the boundary at which it lies",
    "explain  what a contract promises, which evidence it needs, how it decides, what can be set",
    "test     loads files of own contracts and runs the examples that stand in them;",
    "         exit code 0 when all do what they say, 1 when one does not, 64 when a file is wrong",
  ],
  async run(context) {
    const [action, ...rest] = context.positionals;
    switch (action) {
      case "list":
        return listContracts(context);
      case "explain":
        return await explainContract(context, rest);
      case "test":
        return await testContracts(context, rest);
      default:
        throw new UsageError(`'${action ?? ""}' is none of list, explain, test.`);
    }
  },
};

function listContracts(context: CommandContext): number {
  const { terminal } = context;
  if (switchOption(context, "json")) {
    terminal.print(JSON.stringify(shipped.map(describe), undefined, 2));
    return 0;
  }
  const boundaries = [...new Set(shipped.map((contract) => contract.boundary))];
  for (const boundary of boundaries) {
    terminal.print(terminal.style("bold", boundary));
    const rows = shipped
      .filter((contract) => contract.boundary === boundary)
      .map(({ id, promise }) => [
        `  ${id}`,
        `${promise}${isControl(id) ? " (only when asked for)" : ""}`,
      ]);
    terminal.print(`${layoutTable(rows)}\n`);
  }
  terminal.print(
    `${plural(shipped.length, "contract")}. 'faultline contract explain ID' tells more.`,
  );
  return 0;
}

async function explainContract(context: CommandContext, rest: readonly string[]): Promise<number> {
  const [id] = rest;
  if (id === undefined || rest.length > 1) throw new UsageError("contract explain takes one ID.");
  const contract = shipped.find((candidate) => candidate.id === id);
  if (contract === undefined) {
    const near = nearestName(
      id,
      shipped.map((candidate) => candidate.id),
    );
    throw new UsageError(
      `There is no contract '${id}'. ${near === undefined ? "'faultline contract list' names them all." : `Did you mean ${near}?`}`,
    );
  }
  const page = await pageOf(id);
  const { terminal } = context;
  if (switchOption(context, "json")) {
    terminal.print(JSON.stringify({ ...describe(contract), page }, undefined, 2));
    return 0;
  }
  terminal.print(`${terminal.style("bold", contract.id)}, version ${contract.version}`);
  terminal.print(`${contract.promise}\n`);
  terminal.print(`Boundary ${contract.boundary}; reads ${contract.reads.join(", ")}.`);
  if (contract.options.length > 0) {
    terminal.print(
      `\n${terminal.style("bold", "Options")} (faultline check --set ${contract.id}.NAME=VALUE)`,
    );
    terminal.print(
      layoutTable(
        contract.options.map(({ name, default: standard, description }) => [
          `  ${name}`,
          typeof standard === "object" ? standard.join(",") : String(standard),
          description,
        ]),
      ),
    );
  }
  terminal.print(`\n${page.trimEnd()}`);
  return 0;
}

async function testContracts(context: CommandContext, paths: readonly string[]): Promise<number> {
  if (paths.length === 0) throw new UsageError("contract test needs a file.");
  const { terminal } = context;
  // The language of expressions is loaded only where it is spoken: help and lists of contracts do without.
  const { runExamples } = await import("@faultline/contracts/own");
  const { readOwnContractFiles } = await import("../own-contracts.ts");
  const files = await readOwnContractFiles(paths);
  const outcomes = files.flatMap(({ path, contracts: own }) =>
    runExamples(own).map((outcome) => ({ file: path, ...outcome })),
  );
  const untested = files.flatMap((file) =>
    file.contracts.filter(({ examples }) => examples.length === 0).map((own) => own.contract.id),
  );
  const failed = outcomes.filter(({ fault }) => fault !== undefined);
  if (switchOption(context, "json")) {
    terminal.print(JSON.stringify({ outcomes, untested }, undefined, 2));
    return failed.length === 0 ? 0 : 1;
  }
  for (const { contract, example, fault } of outcomes) {
    const mark = fault === undefined ? terminal.style("green", "✓") : terminal.style("red", "✗");
    terminal.print(`${mark} ${contract}: ${printable(example)}`);
    if (fault !== undefined) terminal.print(`    ${printable(fault)}`);
  }
  for (const id of untested) terminal.print(`${terminal.style("yellow", "?")} ${id}: no example`);
  terminal.print(`${plural(outcomes.length, "example")}, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

function describe(contract: Contract): object {
  const { id, version, boundary, promise, reads, options } = contract;
  return { id, version, boundary, promise, reads, options, isControl: isControl(id) };
}

function isControl(id: string): boolean {
  return controls.some((control) => control.id === id);
}

/** The page of a contract, which lies in the same place of the repository and of an installation. */
async function pageOf(id: string): Promise<string> {
  const name = `docs/contracts/${id.replace("/", "-")}.md`;
  return await readFile(fileURLToPath(new URL(`../../../../${name}`, import.meta.url)), "utf8");
}
