/** Names and values in lines: what `printenv`, `locale` and `/etc/os-release` print, and `.env` files. */

import type { FileContent, FormatInput } from "../format.ts";
import { environmentNameOf, Facts } from "./facts.ts";

const assignment = /^(?:export[ \t]+|set[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,255})=(.*)$/s;
/** Lines of which an environment has at least this share; others go on with the value above them. */
const shareMin = 0.7;
const lineCountMin = 2;

/** Names of programs and of settings that are read by others than a process's environment. */
const programName =
  /\.(?:py|rb|pl|[cm]?[jt]s|sh|bash|zsh|mk|toml|ini|cfg|properties|service|desktop)$/i;

const exampleName = /(?:^|[._-])(?:example|sample|template|dist|defaults?)(?:[._-]|$)/i;

/** Whether a text is lines of names and values, and no log of them. */
export function recogniseVariables(head: string, name: string): boolean {
  // An example describes no environment, only what one may be.
  if (/^\s*[{[<]/.test(head) || programName.test(name) || exampleName.test(name)) return false;
  const lines = head.split("\n");
  if (lines.length > 1) lines.pop();
  const told = lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const assignments = told.filter((line) => assignment.test(line) && !isLogfmt(line));
  const isNamed = /(?:^|[._-])(?:\.?env|printenv)(?:[._-]|$)/i.test(name);
  const countMin = isNamed ? 1 : lineCountMin;
  return (
    assignment.test(told[0] ?? "") &&
    assignments.length >= countMin &&
    assignments.length >= shareMin * told.length
  );
}

/** Several pairs on one line are a log, not a variable. */
function isLogfmt(line: string): boolean {
  return /^(?:ts|time|level|lvl|msg|severity)=/.test(line) && /\s\w+=/.test(line);
}

/** Reads every variable. */
export function readVariables(input: FormatInput): FileContent {
  const facts = new Facts();
  const variables = variablesOf(input.text());
  const names = [...variables.keys()];
  const isLocale = names.every((name) => /^(?:LANG|LANGUAGE|LC_[A-Z]+)$/.test(name));
  const isRelease =
    variables.has("ID") && (variables.has("VERSION_ID") || variables.has("PRETTY_NAME"));
  for (const [name, value] of variables) {
    if (isLocale) facts.add(`locale.${name}`, value);
    else if (isRelease)
      facts.add(releaseNames.get(name) ?? `os.release.${name.toLowerCase()}`, value);
    else facts.add(`env.${name}`, value);
  }
  return facts.content(environmentNameOf(input.name));
}

/** Fields of `/etc/os-release` that OpenTelemetry has names for. */
const releaseNames: ReadonlyMap<string, string> = new Map([
  ["ID", "os.name"],
  ["VERSION_ID", "os.version"],
  ["PRETTY_NAME", "os.description"],
]);

/** The variables of a text; lines that assign nothing belong to the value above them. */
function variablesOf(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  let name: string | undefined;
  let parts: string[] = [];
  const close = (): void => {
    if (name !== undefined) variables.set(name, unquoted(parts.join("\n")));
  };
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const match = assignment.exec(line.trimStart());
    const isInside =
      name !== undefined && isOpen(parts[0] ?? "") && parts.length < valueLineCountMax;
    if (match !== null && !(isInside && !isClosed(parts))) {
      close();
      name = match[1];
      parts = [match[2] ?? ""];
    } else if (name !== undefined && !/^\s*#/.test(line) && line.trim() !== "") {
      if (parts.length < valueLineCountMax) parts.push(line);
    }
  }
  close();
  return variables;
}

/** Lines of one value, as of a key in PEM or of a function of the shell. */
const valueLineCountMax = 200;

function isOpen(value: string): boolean {
  return /^["']/.test(value.trim());
}

function isClosed(parts: readonly string[]): boolean {
  const first = (parts[0] ?? "").trim();
  const quote = first[0] ?? "";
  return first.slice(1).includes(quote) || parts.slice(1).some((part) => part.includes(quote));
}

function unquoted(value: string): string {
  const trimmed = value.trim();
  const quoted = /^(["'])([\s\S]*)\1(?:\s+#.*)?$/.exec(trimmed);
  return quoted === null ? trimmed.replace(/\s+#.*$/, "") : (quoted[2] ?? "");
}
