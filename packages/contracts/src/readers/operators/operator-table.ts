/** Reads tables of operators: a row for each, with columns for its kind, its inputs, and what else it was told. */

import type { OperatorAttribute, TensorOperator, TensorShape } from "../../model/operators.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { cellsOf, delimiterOf, rowsOf } from "../metrics/csv.ts";
import { present } from "../training/named-values.ts";
import { operatorLimits } from "./limits.ts";
import { attributeOf, expressionOf } from "./python-expression.ts";
import { tensorsOf } from "./tensor-shape.ts";

type Role =
  | { readonly kind: "operator" | "name" | "framework" | "attributes" | "ignored" }
  | { readonly kind: "input" | "output"; readonly role?: string }
  | { readonly kind: "type"; readonly side: "input" | "output" }
  | { readonly kind: "attribute"; readonly name: string };

const shapeText =
  /^\s*(?:torch\.Size|TensorShape)?\(?[\w.]{0,16}[[(]\s*(?:[\w?*-]+\s*(?:,\s*[\w?*-]+\s*)*,?)?\s*[\])]|^\s*\d+(?:\s?[x×]\s?\d+)+\s*$|^\s*\[\s*[[{]/;

/** Whether a text begins as such a table: the cells of its inputs have to be shapes. */
export function recogniseOperatorTable(head: string): boolean {
  const lines = [...rowsOf(head)].slice(0, 8);
  const [header = "", first] = lines;
  const delimiter = delimiterOf(lines.slice(0, 3));
  if (delimiter === undefined || first === undefined || header.length > 8_192) return false;
  const roles = cellsOf(header, delimiter).map(roleOf);
  const cells = cellsOf(first, delimiter);
  return (
    roles.some(({ kind }) => kind === "operator") &&
    roles.some(({ kind }, at) => kind === "input" && isShape(cells[at] ?? ""))
  );
}

function isShape(cell: string): boolean {
  return /\d/.test(cell) && shapeText.test(cell);
}

/** Reads the rows of a table. */
export function readOperatorTable(input: FormatInput): FileContent {
  const text = input.text();
  const rows = rowsOf(text);
  const header = rows.next().value ?? "";
  const delimiter = delimiterOf([header]) ?? ",";
  const roles = cellsOf(header, delimiter).map(roleOf);
  const operators: TensorOperator[] = [];
  let framework: string | undefined;
  let lineNumber = 1;
  for (const row of rows) {
    lineNumber += 1;
    const cells = cellsOf(row, delimiter);
    framework ??= cells[roles.findIndex(({ kind }) => kind === "framework")];
    const operator = operatorOf(roles, cells, lineNumber);
    if (operator !== undefined) operators.push(operator);
    if (operators.length > operatorLimits.operatorCountMax) {
      throw new EvidenceError("The table has too many operators.", {
        expected: `at most ${operatorLimits.operatorCountMax} rows`,
      });
    }
  }
  if (operators.length === 0) {
    throw new EvidenceError("The table has no operator.", {
      expected: "a column with kinds of operators and one with the shapes of their inputs",
    });
  }
  const name = cutText(input.name.replace(/\.\w+$/, ""), 256);
  const content = present({
    kind: "operators" as const,
    name,
    framework: framework === undefined || framework === "" ? undefined : cutText(framework, 64),
    operators,
  });
  return { contents: [content], notes: [] };
}

function roleOf(header: string): Role {
  const name = header.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (/^(?:op|operator|operation|optype|layertype|function|kind)$/.test(name))
    return { kind: "operator" };
  if (/^(?:name|layer|layername|node|id|step|index|case|caseid|row)$/.test(name))
    return { kind: "name" };
  if (name === "framework") return { kind: "framework" };
  if (/^(?:attributes|attrs|params|parameters|kwargs|args|config|settings)$/.test(name))
    return { kind: "attributes" };
  const typed =
    /^(input|output)s?d?types?$/.exec(name)?.[1] ?? (/^d?types?$/.test(name) ? "input" : undefined);
  if (typed === "input" || typed === "output") return { kind: "type", side: typed };
  if (/^(?:expected|actual|recorded)?(?:outputs?|out|result)(?:shapes?|dims?|size)?\d?$/.test(name))
    return { kind: "output" };
  if (
    /^(?:inputs?|in|operands?|x|a|b|lhs|rhs|left|right|query|key|value|mask)(?:shapes?|dims?|size)?[0-9ab]?(?:shape)?$/.test(
      name,
    )
  )
    return { kind: "input" };
  const role = /^(weight|bias|mask|kernel|filter)(?:shapes?|dims?)$/.exec(name)?.[1];
  if (role !== undefined) return { kind: "input", role };
  if (
    /^(?:valid|status|ok|error|errors|message|label|verdict|notes?|comment|description|faulty?|isvalid|expected)$/.test(
      name,
    )
  )
    return { kind: "ignored" };
  return name === ""
    ? { kind: "ignored" }
    : { kind: "attribute", name: header.trim().slice(0, 128) };
}

function operatorOf(
  roles: readonly Role[],
  cells: readonly string[],
  lineNumber: number,
): TensorOperator | undefined {
  const inputs: TensorShape[] = [];
  const outputs: TensorShape[] = [];
  const attributes: Record<string, OperatorAttribute> = {};
  const types: { input?: readonly string[]; output?: readonly string[] } = {};
  let operator = "";
  let name: string | undefined;
  for (const [at, role] of roles.entries()) {
    const cell = cells[at]?.trim() ?? "";
    if (cell === "") continue;
    if (role.kind === "operator") operator = cutText(cell, 256);
    else if (role.kind === "name") name ??= cutText(cell, 512);
    else if (role.kind === "input") inputs.push(...shapesIn(cell));
    else if (role.kind === "output") outputs.push(...shapesIn(cell));
    else if (role.kind === "type")
      types[role.side] = cell.split(/[\s,;[\]"']+/).filter((word) => /^[A-Za-z]\w*$/.test(word));
    else if (role.kind === "attributes") Object.assign(attributes, settingsIn(cell));
    else if (role.kind === "attribute") {
      const value = attributeOf(expressionOf(cell));
      if (value !== undefined && value !== null) attributes[role.name] = value;
    }
  }
  if (operator === "") return undefined;
  return present({
    operator,
    name,
    inputs: typed(inputs, types.input),
    outputs: typed(outputs, types.output),
    attributes,
    pointer: `line ${lineNumber}`,
  });
}

/** One type for all, or one for each. */
function typed(
  tensors: readonly TensorShape[],
  types: readonly string[] | undefined,
): TensorShape[] {
  return tensors.slice(0, operatorLimits.tensorCountMax).map((tensor, at) => {
    const type = types?.length === 1 ? types[0] : types?.[at];
    return tensor.dtype !== undefined || type === undefined
      ? tensor
      : { ...tensor, dtype: cutText(type.replace(/^torch\./, "").toLowerCase(), 64) };
  });
}

/** The shapes of a cell: `[[2, 3], [3, 4]]`, `(2, 3), (3, 4)`, `f32[2, 3]; f32[3]`, `2x3`. */
function shapesIn(cell: string): TensorShape[] {
  if (cell.length > 65_536) return [{}];
  const crossed = /^\d+(?:\s?[x×]\s?\d+)+$/.test(cell)
    ? `[${cell.replaceAll(/\s?[x×]\s?/g, ",")}]`
    : cell;
  const inner = /^\s*[[(](?=\s*[[(])([\s\S]*)[\])]\s*$/.exec(crossed)?.[1] ?? crossed;
  const found = [...inner.matchAll(/(?:[A-Za-z][\w.]{0,24}\s*)?[[(][^[\]()]{0,1000}[\])]/g)].map(
    ([text]) => text,
  );
  return found.length === 0
    ? [{}]
    : tensorsOf(found.slice(0, operatorLimits.tensorCountMax), false);
}

/** `axis=1, keepdims=True` or `{"axis": 1}`. */
function settingsIn(cell: string): Record<string, OperatorAttribute> {
  const bare = cell.replace(/^\s*\{|\}\s*$/g, "");
  const read = expressionOf(
    `f(${bare
      .replaceAll(";", ",")
      .replaceAll(/\btrue\b/g, "True")
      .replaceAll(/\bfalse\b/g, "False")
      .replaceAll(/\bnull\b/g, "None")})`,
  );
  if (read.kind !== "call") return {};
  const kept: [string, OperatorAttribute][] = [];
  for (const [name, value] of read.call.named) {
    const attribute = attributeOf(value);
    if (attribute !== undefined && attribute !== null) kept.push([name, attribute]);
  }
  return Object.fromEntries(kept);
}
