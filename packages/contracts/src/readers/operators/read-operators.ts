/** Reads lists of tensor operators. */

import { type Fields, isFields } from "../../model/fields.ts";
import type {
  OperatorAttribute,
  OperatorsContent,
  TensorOperator,
  TensorShape,
} from "../../model/operators.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { documentsOf, firstObjectOf } from "../tracing/documents.ts";
import { NamedValues, present } from "../training/named-values.ts";
import { operatorLimits } from "./limits.ts";
import { dtypeOf, tensorsOf } from "./tensor-shape.ts";

const { operatorCountMax, tensorCountMax } = operatorLimits;
const listNames = "operators operations ops nodes layers";
const kindNames = "op operator optype operation kind target";
const inputNames = "inputs input inputshapes inputshape inputdims operands";
const outputNames = "outputs output outputshapes outputshape outputdims result";

/** Whether a text begins with operators and their shapes. */
export function recogniseOperators(head: string): boolean {
  const list =
    /^\s*\{[^{]{0,2048}?"(?:operators|operations|ops|nodes|layers)"\s*:\s*\[\s*(?=\{)/.exec(head);
  return isOperator(firstObjectOf(list === null ? head : head.slice(list[0].length)));
}

function isOperator(value: unknown): boolean {
  if (!isFields(value)) return false;
  const named = new NamedValues(value);
  // Steps of agents have operations and inputs as well, but no shapes.
  return (
    named.text(kindNames, 256) !== undefined &&
    sideOf(value, inputNames, "").some(({ shape }) => shape !== undefined)
  );
}

/** Reads a document, a list or lines of operators. */
export function readOperators(input: FormatInput): FileContent {
  const name = cutText(input.name.replace(/\.\w+$/, ""), 256);
  const contents: OperatorsContent[] = [];
  const loose: TensorOperator[] = [];
  for (const [index, document] of documentsOf(input.text()).entries()) {
    const listed = isFields(document) ? new NamedValues(document).list(listNames) : undefined;
    if (isFields(document) && listed !== undefined) {
      const named = new NamedValues(document);
      contents.push(
        present({
          kind: "operators" as const,
          name: named.text("name model graph", 256) ?? name,
          framework: named.text("framework", 64),
          operators: operatorsOf(listed, "/operators"),
        }),
      );
    } else if (Array.isArray(document)) loose.push(...operatorsOf(document, ""));
    else loose.push(...operatorsOf([document], "", index));
  }
  if (loose.length > 0) contents.push({ kind: "operators", name, operators: loose });
  const kept = contents.filter(({ operators }) => operators.length > 0);
  if (kept.length === 0) {
    throw new EvidenceError("The list has no operator.", {
      expected: "operators with a name and the shapes of their inputs",
    });
  }
  return { contents: kept, notes: [] };
}

function operatorsOf(list: readonly unknown[], base: string, offset = 0): TensorOperator[] {
  if (list.length + offset > operatorCountMax) {
    throw new EvidenceError("The list has too many operators.", {
      expected: `at most ${operatorCountMax} operators`,
    });
  }
  return list.flatMap((item, index) =>
    isFields(item) ? operatorOf(item, `${base}/${index + offset}`) : [],
  );
}

function operatorOf(fields: Fields, pointer: string): TensorOperator[] {
  const named = new NamedValues(fields);
  const operator = named.text(`${kindNames} type name`, 256);
  if (operator === undefined) return [];
  const name = named.text("name id node", 512);
  return [
    present({
      operator,
      name: name === operator ? undefined : name,
      inputs: sideOf(fields, inputNames, "inputdtypes inputtypes inputtype inputdtype dtypes"),
      outputs: sideOf(fields, outputNames, "outputdtypes outputtypes outputtype outputdtype"),
      attributes: attributesOf(named.first("attributes attrs params kwargs config")),
      pointer,
    }),
  ];
}

function sideOf(fields: Fields, names: string, typeNames: string): TensorShape[] {
  const named = new NamedValues(fields);
  const field = names.split(" ").find((name) => named.first(name) !== undefined) ?? "";
  const tensors = tensorsOf(named.first(field), /shape|dims/.test(field)).slice(0, tensorCountMax);
  const given = named.first(typeNames);
  const types: readonly unknown[] = Array.isArray(given) ? given : [given];
  return tensors.map((tensor, index) => {
    const type = types[index];
    const isType = typeof type === "string" && type.length <= 64 && tensor.dtype === undefined;
    return present({ ...tensor, dtype: isType ? dtypeOf(type) : tensor.dtype });
  });
}

function attributesOf(value: unknown): Record<string, OperatorAttribute> {
  if (!isFields(value)) return {};
  const kept = Object.entries(value).flatMap(([name, item]): [string, OperatorAttribute][] => {
    if (isScalar(item)) return [[name, item]];
    const list: readonly unknown[] = Array.isArray(item) ? item : [];
    const scalars = list.filter(isScalar);
    if (Array.isArray(item) && scalars.length === list.length && list.length <= 256)
      return [[name, scalars]];
    // What has another form is there all the same: rules must not take it for the usual value.
    return [[name, cutText(JSON.stringify(item) ?? "", 1_024)]];
  });
  return Object.fromEntries(kept);
}

function isScalar(value: unknown): value is number | string | boolean | null {
  return (
    value === null ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value)) ||
    (typeof value === "string" && value.length <= 1_024)
  );
}
