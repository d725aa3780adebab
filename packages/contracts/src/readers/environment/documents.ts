/** Environments as documents: our own, the versions and reports of Node, and what npm lists. */

import { parse } from "yaml";

import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { environmentNameOf, Facts } from "./facts.ts";
import { environmentLimits } from "./limits.ts";

/** Whether a text begins as a document that describes an environment. */
export function recogniseEnvironmentDocument(head: string): boolean {
  if (
    /^(?:#[^\n]*\n|\s)*environments?:\s*(?:#[^\n]*)?\n(?:\s*-?\s*(?:#[^\n]*\n\s*)?)?(?:name|facts):/.test(
      head,
    )
  )
    return true;
  if (!/^\s*\{/.test(head)) return false;
  return isOwnJson(head) || isReport(head) || isVersions(head) || isNpmList(head);
}

function isOwnJson(head: string): boolean {
  return /^\s*\{\s*"environments?"\s*:\s*\[?\s*\{/.test(head) && /"facts"\s*:\s*\{/.test(head);
}

function isReport(head: string): boolean {
  return /^\s*\{\s*"header"\s*:\s*\{/.test(head) && /"nodejsVersion"\s*:/.test(head);
}

function isVersions(head: string): boolean {
  return (
    /["']?\bnode["']?\s*:\s*["']v?\d/.test(head) &&
    /["']?\bv8["']?\s*:\s*["']\d/.test(head) &&
    /["']?\buv["']?\s*:/.test(head)
  );
}

function isNpmList(head: string): boolean {
  return (
    /^\s*\{\s*(?:"(?:name|version|problems|invalid)"\s*:[^{]{0,1024})*"dependencies"\s*:\s*\{/.test(
      head,
    ) &&
    /"resolved"\s*:|"overridden"\s*:/.test(head) &&
    !/"lockfileVersion"\s*:/.test(head)
  );
}

/** Reads a document of any of these kinds. */
export function readEnvironmentDocument(input: FormatInput): FileContent {
  const text = input.text();
  if (text.length > environmentLimits.textLengthMax) {
    throw new EvidenceError("The description of the environment is too long.", {
      expected: `at most ${environmentLimits.textLengthMax} characters`,
    });
  }
  const value = valueOf(text);
  if (!isFields(value)) throw noEnvironment();
  const own = value["environment"] ?? value["environments"];
  if (own !== undefined) return readOwn(own, input.name);
  const facts = new Facts();
  if (isFields(value["header"])) readReport(value, value["header"], facts);
  else if (isFields(value["dependencies"])) readDependencies(value["dependencies"], facts);
  else readVersions(value, facts);
  return facts.content(environmentNameOf(input.name));
}

function valueOf(text: string): unknown {
  if (/^\s*\{\s*["}]/.test(text)) return parseJson(text);
  try {
    // Also what Node prints of an object: flow mappings with single quotes are YAML.
    return parse(text, { maxAliasCount: 100, logLevel: "silent" });
  } catch (cause) {
    throw new EvidenceError("The YAML is malformed.", {
      expected: "well-formed YAML",
      where: "line 1, column 1",
      cause,
    });
  }
}

function readOwn(own: unknown, fileName: string): FileContent {
  const list: readonly unknown[] = Array.isArray(own) ? own : [own];
  if (list.length > environmentLimits.environmentCountMax) {
    throw new EvidenceError("The file describes too many environments.", {
      expected: `at most ${environmentLimits.environmentCountMax} environments`,
    });
  }
  const contents = list.filter(isFields).map((item) => {
    const facts = new Facts();
    addTree(item["facts"], facts, []);
    const name = textOf(item["name"]);
    return facts.environment(name === "" ? environmentNameOf(fileName) : name);
  });
  if (contents.length === 0) throw noEnvironment();
  return { contents, notes: [] };
}

const depthMax = 16;

/** Facts within facts get names with points between. */
function addTree(value: unknown, facts: Facts, path: readonly string[]): void {
  const name = path.join(".");
  if (path.length > depthMax) return;
  if (Array.isArray(value)) {
    const items: unknown[] = value;
    const texts = items.map((item) => (isPlain(item) ? textOf(item) : JSON.stringify(item)));
    facts.add(name, texts.join(", "));
  } else if (isFields(value)) {
    for (const [key, item] of Object.entries(value)) addTree(item, facts, [...path, key]);
  } else if (name !== "" && value !== null && value !== undefined) facts.add(name, textOf(value));
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function readReport(report: Fields, header: Fields, facts: Facts): void {
  const names: readonly (readonly [string, string])[] = [
    ["nodejsVersion", "process.runtime.version"],
    ["glibcVersionRuntime", "os.glibc"],
    ["osName", "os.type"],
    ["osRelease", "os.kernel"],
    ["arch", "host.arch"],
    ["host", "host.name"],
    ["wordSize", "host.wordSize"],
  ];
  facts.add("process.runtime.name", "nodejs");
  for (const [field, name] of names) {
    const value = textOf(header[field]);
    if (value !== "") facts.add(name, name === "os.type" ? value.toLowerCase() : value);
  }
  if (isFields(header["componentVersions"])) readVersions(header["componentVersions"], facts);
  const variables = report["environmentVariables"];
  for (const [name, value] of Object.entries(isFields(variables) ? variables : {})) {
    facts.add(`env.${name}`, textOf(value));
  }
}

function readVersions(versions: Fields, facts: Facts): void {
  for (const [name, value] of Object.entries(versions)) {
    if (typeof value === "string" || typeof value === "number")
      facts.add(`runtime.${name}`, String(value));
  }
}

function readDependencies(dependencies: Fields, facts: Facts): void {
  for (const [name, item] of Object.entries(dependencies)) {
    const version = isFields(item) ? textOf(item["version"]) : textOf(item);
    if (version !== "") facts.add(`npm.package.${name}`, version);
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : "";
}

function noEnvironment(): EvidenceError {
  return new EvidenceError("The document describes no environment.", {
    expected: "environment: with a name and facts in it",
    where: "line 1, column 1",
  });
}
