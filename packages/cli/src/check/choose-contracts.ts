/** Which contracts a check runs: the shipped ones or those asked for, own ones beside them, with what was set. */

import {
  type Contract,
  ContractOptionError,
  contracts as shippedContracts,
  controls,
  inBoundaryOrder,
  nearestName,
  type OptionValue,
} from "@faultline/contracts";

import { type CommandContext, UsageError } from "../command.ts";
import { textListOption } from "../connection.ts";

/** The contracts for the words of a call. Throws a `UsageError` that names what does not exist. */
export async function chooseContracts(context: CommandContext): Promise<readonly Contract[]> {
  const own = await ownContracts(textListOption(context, "contracts"));
  const known = [...shippedContracts, ...controls, ...own];
  refuseEqualIds(known);
  const wanted = textListOption(context, "contract");
  for (const id of wanted)
    if (!known.some((contract) => contract.id === id)) throw unknown(id, known);
  const chosen =
    wanted.length === 0
      ? [...shippedContracts, ...own]
      : known.filter((contract) => wanted.includes(contract.id));
  return inBoundaryOrder(withSettings(chosen, textListOption(context, "set"), known));
}

/** Own contracts bring the language of their expressions with them, which a plain check does not load. */
async function ownContracts(paths: readonly string[]): Promise<Contract[]> {
  if (paths.length === 0) return [];
  const { readOwnContractFiles } = await import("../own-contracts.ts");
  const files = await readOwnContractFiles(paths);
  return files.flatMap((file) => file.contracts.map(({ contract }) => contract));
}

function refuseEqualIds(known: readonly Contract[]): void {
  const ids = new Set<string>();
  for (const { id } of known) {
    if (ids.has(id)) throw new UsageError(`There are two contracts with the id ${id}.`);
    ids.add(id);
  }
}

function withSettings(
  chosen: readonly Contract[],
  settings: readonly string[],
  known: readonly Contract[],
): Contract[] {
  const byId = new Map(chosen.map((contract) => [contract.id, contract]));
  for (const setting of settings) {
    const match = /^([^.=]+)\.([^.=]+)=(.*)$/s.exec(setting);
    if (match === null) {
      throw new UsageError(`--set takes ID.OPTION=VALUE; '${setting}' is none.`);
    }
    const [, id = "", name = "", text = ""] = match;
    const contract = byId.get(id);
    if (contract === undefined) {
      if (known.some((other) => other.id === id)) {
        throw new UsageError(
          `--set names ${id}, which this check does not run; add --contract ${id}.`,
        );
      }
      throw unknown(id, known);
    }
    byId.set(id, changed(contract, name, text));
  }
  return [...byId.values()];
}

function changed(contract: Contract, name: string, text: string): Contract {
  const standard = contract.options.find((option) => option.name === name)?.default;
  try {
    return contract.with({ [name]: valueOf(text, standard) });
  } catch (error) {
    if (!(error instanceof ContractOptionError)) throw error;
    throw new UsageError(error.message);
  }
}

/** A text as a value of the type that the option has; where it cannot be, the contract says what it takes. */
function valueOf(text: string, standard: OptionValue | undefined): unknown {
  switch (typeof standard) {
    case "number":
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "object":
      return text === "" ? [] : text.split(",");
    default:
      return text;
  }
}

function unknown(id: string, known: readonly Contract[]): UsageError {
  const near = nearestName(
    id,
    known.map((contract) => contract.id),
  );
  return new UsageError(
    `There is no contract '${id}'. ${near === undefined ? "'faultline contract list' names them all." : `Did you mean ${near}?`}`,
  );
}
