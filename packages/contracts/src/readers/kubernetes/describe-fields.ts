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

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
