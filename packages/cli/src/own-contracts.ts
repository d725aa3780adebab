/** Reads files of own contracts, and tells everything that is wrong with them at once. */

import { open } from "node:fs/promises";
import { printable } from "@faultline/contracts";
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
    for (const { where, message } of read.problems) {
      // A file from elsewhere must not move the reader's cursor.
      problems.push(`${path}, ${where}: ${printable(message)}`);
    }
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
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    // Counted while it is read: a pipe or a device tells no size and may go on without end.
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      const bytes = Buffer.from(chunk);
      sizeBytes += bytes.length;
      if (sizeBytes > ownContractLimits.fileBytesMax) {
        throw new UsageError(
          `${path} is too large; a file of contracts has at most ${ownContractLimits.fileBytesMax} bytes.`,
        );
      }
      chunks.push(bytes);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (cause) {
    if (cause instanceof UsageError || !(cause instanceof Error)) throw cause;
    throw new UsageError(`The file of contracts ${path} cannot be read: ${cause.message}`);
  }
}
