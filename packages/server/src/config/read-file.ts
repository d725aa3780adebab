/** Reads `faultline.yaml`: its values and the line of each, or a refusal that names file, line and the nearest valid name. */

import { readFileSync, statSync } from "node:fs";

import { PlatformError } from "@faultline/protocol";
import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";

import { checkValue, type ConfigPath, type ConfigProblem } from "./check-value.ts";
import { ConfigFile } from "./file-schema.ts";

/** A configuration file beyond this size is a mistake. */
export const configFileBytesMax = 1_048_576;
const aliasCountMax = 100;
const problemCountMax = 20;

export interface ReadConfigFile {
  readonly values: ConfigFile;
  /** `file:line` of the value at a path. */
  originOf(path: ConfigPath): string;
}

/** Reads the file at `path`. Throws `configuration_invalid`. */
export function readConfigFile(path: string): ReadConfigFile {
  return parseConfigText(readText(path), path);
}

/** Reads the text of a configuration file; `name` stands in origins and refusals. */
export function parseConfigText(text: string, name: string): ReadConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) {
    const { line, col } = lines.linePos(syntaxError.pos[0]);
    throw new PlatformError(
      "configuration_invalid",
      `${name} is not valid YAML: ${syntaxError.message}`,
      {
        where: `${name}:${line}:${col}`,
        hint: "Mend the line; `faultline doctor` shows what is read.",
        cause: syntaxError,
      },
    );
  }
  const value = toValue(document, name);
  const lineOf = (path: ConfigPath, inName: boolean): number =>
    lines.linePos(offsetOf(document, path, inName)).line;
  const problems = checkValue(ConfigFile, value);
  if (problems.length > 0) throw refusal(name, problems, lineOf);
  return {
    // The check above is the proof.
    values: value as ConfigFile,
    originOf: (path) => `${name}:${lineOf(path, false)}`,
  };
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > configFileBytesMax) {
      throw new PlatformError(
        "configuration_invalid",
        `${path} has ${size} bytes; the limit is ${configFileBytesMax}.`,
        { where: path },
      );
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PlatformError(
      "configuration_invalid",
      `The configuration file cannot be read: ${reason}`,
      {
        where: path,
        hint: "Give an existing UTF-8 file to --config, or leave the flag out to run on defaults.",
        cause: error,
      },
    );
  }
}

function toValue(document: Document, name: string): unknown {
  try {
    // An empty file means: everything by default.
    return document.toJS({ maxAliasCount: aliasCountMax }) ?? {};
  } catch (error) {
    throw new PlatformError(
      "configuration_invalid",
      `${name} uses more than ${aliasCountMax} aliases.`,
      { where: name, cause: error },
    );
  }
}

/** Where a path stands in the text; the nearest enclosing part when the path itself has no node. */
function offsetOf(document: Document, path: ConfigPath, inName: boolean): number {
  if (inName) {
    const holder = document.getIn(path.slice(0, -1), true);
    const holderMap = path.length === 1 ? document.contents : holder;
    if (isMap(holderMap)) {
      const pair = holderMap.items.find(
        (item) => isScalar(item.key) && item.key.value === path.at(-1),
      );
      if (isScalar(pair?.key)) return pair.key.range?.[0] ?? 0;
    }
  }
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    // `getIn` with keepScalar gives nodes, whose range starts at their first character.
    const range = (node as { range?: [number, number, number] | null } | undefined)?.range;
    if (range !== undefined && range !== null) return range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function refusal(
  name: string,
  problems: readonly ConfigProblem[],
  lineOf: (path: ConfigPath, inName: boolean) => number,
): PlatformError {
  const shown = problems.slice(0, problemCountMax).map((problem) => {
    const hint = problem.hint === undefined ? "" : ` ${problem.hint}`;
    return `${name}:${lineOf(problem.path, problem.inName)}: ${problem.message}${hint}`;
  });
  const rest = problems.length - shown.length;
  if (rest > 0) shown.push(`… and ${rest} more.`);
  const [first] = problems;
  return new PlatformError("configuration_invalid", shown.join("\n"), {
    ...(first === undefined ? {} : { where: `${name}:${lineOf(first.path, first.inName)}` }),
    hint: "docs/reference/settings.md lists every setting; `faultline doctor` shows where each value comes from.",
  });
}
