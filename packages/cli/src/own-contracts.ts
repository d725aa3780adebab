/** Reads files of own contracts, and tells everything that is wrong with them at once. */

import { open } from "node:fs/promises";
import { type OwnContract, ownContractLimits, readOwnContracts } from "@faultline/contracts/own";

import { UsageError } from "./command.ts";

/** A file of contracts with which nothing is wrong. */
export interface OwnContractFile {
  readonly path: string;
  readonly contracts: readonly OwnContract[];
}

/** The contracts of files. Throws a `UsageError` that lists what is wrong in any of them, with its place. */
export async function readOwnContractFiles(paths: readonly string[]): Promise<OwnContractFile[]> {
  const files: OwnContractFile[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    const read = readOwnContracts(await readText(path));
    for (const { where, message } of read.problems) problems.push(`${path}, ${where}: ${message}`);
    files.push({ path, contracts: read.contracts });
  }
  if (problems.length > 0) {
    throw new UsageError(
      ["These contracts cannot be used.", ...problems.map((problem) => `  ${problem}`)].join("\n"),
    );
  }
  return files;
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size > ownContractLimits.fileBytesMax) {
      throw new UsageError(
        `${path} has ${size} bytes; a file of contracts has at most ${ownContractLimits.fileBytesMax}.`,
      );
    }
    return await file.readFile("utf8");
  } catch (cause) {
    if (cause instanceof UsageError || !(cause instanceof Error)) throw cause;
    throw new UsageError(`The file of contracts ${path} cannot be read: ${cause.message}`);
  }
}
