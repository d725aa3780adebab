/** Lists of packages: `pip freeze` and `pip list`, `conda list`, requirements, and what `go version -m` prints of a program. */

import { isFields } from "../../model/fields.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { environmentNameOf, Facts } from "./facts.ts";

const pinned =
  /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:\[[\w, .-]{0,256}\])?\s*(===?|~=|>=|<=|!=|>|<)\s*([^\s;#,]{1,128})/;
const located = /^(?:-e\s+\S+|([A-Za-z0-9][A-Za-z0-9._-]{0,127})\s*@\s*(\S{1,1024}))/;
const option = /^(?:--?[a-z]|#|$)/;
const listHeader = /^Package\s+Version(?:\s+.*)?\r?\n-+\s+-+/;

/** The first lines of `conda list`, behind which each line has a name, a version, a build and a channel. */
const condaHeader = /^# packages in environment at \S.*\r?\n(?:#.*\r?\n)*/;
/** The first package of `pip list --format=json`. */
const jsonStart =
  /^\s*\[\s*\{\s*"name"\s*:\s*"[\w.-]{1,128}"\s*,\s*"version"\s*:\s*"[^"]{1,128}"\s*[,}]/;

/** Whether a text is a list of Python packages. */
export function recognisePackages(head: string): boolean {
  if (listHeader.test(head) || condaHeader.test(head)) return true;
  if (jsonStart.test(head))
    return !/"(?:type|description|input_?schema|parameters)"\s*:/i.test(head);
  const lines = head.split("\n");
  if (lines.length > 1) lines.pop();
  const told = lines.map((line) => line.trim()).filter((line) => !option.test(line));
  const exact = told.filter((line) => pinned.test(line)).length;
  const known = told.filter((line) => pinned.test(line) || located.test(line)).length;
  return exact >= 2 && known >= 0.9 * told.length;
}

/** Reads every package with its version; of a range, the range. */
export function readPackages(input: FormatInput): FileContent {
  const facts = new Facts();
  const text = input.text();
  if (jsonStart.test(text)) {
    for (const item of listOf(text)) facts.add(packageFact(item.name), item.version);
    return facts.content(environmentNameOf(input.name));
  }
  const isConda = condaHeader.test(text);
  const isTable = isConda || listHeader.test(text);
  for (const line of text.split(/\r?\n/).slice(isTable && !isConda ? 2 : 0)) {
    const trimmed = line.trim();
    const row = isTable ? /^([^\s#]\S*)\s+(\S+)/.exec(trimmed) : null;
    const [, name, operator, version] = pinned.exec(trimmed) ?? [];
    const source = located.exec(trimmed);
    if (row !== null) facts.add(packageFact(row[1] ?? ""), row[2] ?? "");
    else if (name !== undefined && version !== undefined) {
      facts.add(
        packageFact(name),
        operator?.startsWith("==") === true ? version : `${operator}${version}`,
      );
    } else if (source?.[1] !== undefined) facts.add(packageFact(source[1]), source[2] ?? "");
  }
  return facts.content(environmentNameOf(input.name));
}

/** The packages of a list in JSON. */
function listOf(text: string): { readonly name: string; readonly version: string }[] {
  const list = parseJson(text);
  return (Array.isArray(list) ? (list as unknown[]) : []).flatMap((item) => {
    const { name, version } = isFields(item) ? item : {};
    return typeof name === "string" && typeof version === "string" ? [{ name, version }] : [];
  });
}

/** Python takes `My_Package` and `my-package` for one. */
function packageFact(name: string): string {
  return `python.package.${name.toLowerCase().replace(/[-_.]+/g, "-")}`;
}

const goStart = /^\S.*: go\d+\.\d+\S*\r?\n\tpath\t/;

/** Whether a text is what Go tells of a program. */
export function recogniseGoVersion(head: string): boolean {
  return goStart.test(head);
}

/** Reads the version of Go, the modules and the settings of the build. */
export function readGoVersion(input: FormatInput): FileContent {
  const facts = new Facts();
  const [first = "", ...lines] = input.text().split(/\r?\n/);
  facts.add("process.runtime.version", /: (go\d\S*)/.exec(first)?.[1] ?? "");
  facts.add("process.runtime.name", "go");
  for (const line of lines) {
    const [, kind, name = "", version = ""] = line.split("\t");
    if (kind === "mod") facts.add("service.version", version);
    else if (kind === "dep" || kind === "=>") facts.add(`go.module.${name}`, version);
    else if (kind === "build") {
      const at = name.indexOf("=");
      if (at > 0) facts.add(`go.build.${name.slice(0, at)}`, name.slice(at + 1));
    }
  }
  return facts.content(environmentNameOf(input.name));
}
