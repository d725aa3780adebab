/** The layout of `kubectl describe`: fields with values, indented children and small tables. */

/** A line `Name:  value` with the lines that stand deeper below it. */
export interface DescribedField {
  readonly name: string;
  /** The text on the same line, then lines that continue it in the value's column. */
  readonly values: readonly string[];
  readonly lines: readonly string[];
}

/** The fields of a block: its lines at the least indentation of its first line. */
export function fieldsOf(lines: readonly string[]): DescribedField[] {
  const indent = indentOf(lines.find((line) => line.trim() !== "") ?? "");
  const fields: DescribedField[] = [];
  let name = "";
  let values: string[] = [];
  let below: string[] = [];
  let column = 0;
  const finish = (): void => {
    if (name !== "") fields.push({ name, values, lines: below });
  };
  for (const line of lines) {
    if (line.trim() === "") continue;
    const header =
      indentOf(line) === indent ? /^\s*([^:]+(?::[^\s:]+)*):(?:\s+(.*))?$/.exec(line) : null;
    if (header !== null) {
      finish();
      name = (header[1] ?? "").trim();
      const value = (header[2] ?? "").trim();
      values = value === "" ? [] : [value];
      below = [];
      column = value === "" ? -1 : line.indexOf(value, line.indexOf(":") + 1);
    } else if (column > 0 && indentOf(line) === column) {
      values.push(line.trim());
    } else {
      below.push(line);
    }
  }
  finish();
  return fields;
}

/** The first field of a name. */
export function one(fields: readonly DescribedField[], name: string): DescribedField | undefined {
  return fields.find((field) => field.name === name);
}

/** All fields of a name. */
export function allOf(fields: readonly DescribedField[], name: string): DescribedField[] {
  return fields.filter((field) => field.name === name);
}

/** The value of a field, or nothing where the text says that there is none. */
export function textOf(fields: readonly DescribedField[], name: string): string | undefined {
  const [value] = one(fields, name)?.values ?? [];
  return value === undefined || value === "<none>" || value === "<unset>" ? undefined : value;
}

/** Every line of a field's value, without the words for "none". */
export function valuesOf(fields: readonly DescribedField[], name: string): string[] {
  const field = one(fields, name);
  if (field === undefined) return [];
  return field.values.filter((value) => value !== "<none>" && value !== "");
}

/** `name: value` pairs of a block, as under Requests. */
export function pairsOf(field: DescribedField | undefined): Record<string, string> {
  if (field === undefined) return {};
  return Object.fromEntries(
    fieldsOf(field.lines).flatMap(({ name, values: [value] }) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** The rows of a small table below a field, in the order of the columns asked for. */
export function tableRows(field: DescribedField, columns: readonly string[]): string[][] {
  const headerAt = field.lines.findIndex((line) =>
    columns.every((column) => line.includes(column)),
  );
  const header = field.lines[headerAt];
  if (header === undefined) return [];
  const starts = columns.map((column) => columnStart(header, column));
  return field.lines
    .slice(headerAt + 1)
    .filter((line) => !/^[\s-]*$/.test(line) && indentOf(line) >= indentOf(header))
    .map((line) =>
      starts.map((start, index) => line.slice(start, starts[index + 1] ?? line.length).trim()),
    );
}

/** Where a column begins: its name, standing apart by two spaces. */
function columnStart(header: string, column: string): number {
  const at = header.search(new RegExp(`(^|\\s\\s)${column}(\\s\\s|$)`));
  return at < 0 ? header.indexOf(column) : header.indexOf(column, at);
}

/** The rows of a small table below a field by column, for tables whose columns differ from version to version. */
export function tableRecords(field: DescribedField | undefined): ReadonlyMap<string, string>[] {
  const headerAt = (field?.lines ?? []).findIndex((line) => line.trim() !== "");
  const header = field?.lines[headerAt];
  if (field === undefined || header === undefined) return [];
  const columns = [...header.matchAll(/\S+(?: \S+)*/g)];
  return field.lines
    .slice(headerAt + 1)
    .filter((line) => !/^[\s-]*$/.test(line) && indentOf(line) >= indentOf(header))
    .map(
      (line) =>
        new Map(
          columns.map(({ 0: name, index }, at) => [
            name,
            line.slice(index, columns[at + 1]?.index ?? line.length).trim(),
          ]),
        ),
    );
}

/** The conditions of an object, with as much as the table below the field prints. */
export function conditionsOf(block: DescribedField | undefined): Record<string, string>[] {
  return tableRecords(block).flatMap((row) => {
    const type = row.get("Type") ?? "";
    const status = row.get("Status") ?? "";
    if (type === "" || status === "") return [];
    const reason = row.get("Reason") ?? "";
    const message = row.get("Message") ?? "";
    const changed = row.get("LastTransitionTime") ?? "";
    return [
      {
        type,
        status,
        ...(reason === "" ? {} : { reason }),
        ...(message === "" ? {} : { message }),
        ...(changed === "" ? {} : { lastTransitionTime: changed }),
      },
    ];
  });
}

/** `Controlled By: ReplicaSet/web-5d4f` as the owner that it stands for. */
export function controllerOf(fields: readonly DescribedField[]): Record<string, unknown> {
  const [kind, name] = (textOf(fields, "Controlled By") ?? "").split("/");
  if (kind === undefined || name === undefined) return {};
  return { ownerReferences: [{ kind, name, controller: true }] };
}

/** `key: value` lines, as annotations are printed. */
export function parseLabelLines(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.flatMap((text) => {
      const at = text.search(/[:=]/);
      return at <= 0 ? [] : [[text.slice(0, at).trim(), text.slice(at + 1).trim()]];
    }),
  );
}

/** What marks a line that goes on with the text of the line before it. */
const continuation = `${" ".repeat(12)}\t`;

/**
 * Messages of containers and events are printed with their line breaks, and what follows the first line stands at
 * the left edge. Such lines are moved to where they belong, so that none of them is taken for a field.
 */
export function moveContinuations(lines: readonly string[]): string[] {
  let section: "fields" | "containers" | "events" = "fields";
  return lines.map((line) => {
    if (/^(?:Init |Ephemeral )?Containers:\s*$/.test(line)) section = "containers";
    else if (line.startsWith("Events:")) section = "events";
    else if (section === "events") {
      if (line.trim() === "") section = "fields";
      else if (indentOf(line) < 2) return `${continuation}${line.trim()}`;
    } else if (section === "containers" && line.trim() !== "") {
      if (
        /^(?:Conditions|Volumes|QoS Class|Readiness Gates|Node-Selectors|Tolerations):/.test(line)
      ) {
        section = "fields";
      } else if (
        indentOf(line) < 2 ||
        (indentOf(line) < 4 && !/^ {2,3}[a-z0-9-]+:\s*$/.test(line))
      ) {
        return `${continuation}${line.trim()}`;
      }
    }
    return line;
  });
}

/** Whether a line was moved by `moveContinuations`. */
export function isContinuation(line: string): boolean {
  return line.startsWith(continuation);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
