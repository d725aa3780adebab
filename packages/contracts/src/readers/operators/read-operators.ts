/** Reads lists of tensor operators. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { OperatorsContent, TensorOperator, TensorShape } from "../../model/operators.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { documentsOf, firstObjectOf } from "../tracing/documents.ts";
import { NamedValues, present } from "../training/named-values.ts";
import { operatorLimits } from "./limits.ts";
import { fieldNames, separateInputs, settingsOf } from "./operator-fields.ts";
import { dtypeOf, tensorsOf } from "./tensor-shape.ts";

const { operatorCountMax, tensorCountMax } = operatorLimits;
const listNames = "operators operations ops nodes layers cases";
const declaredNames = ["tensors", "inputs", "values", "parameters", "weights", "initializers"];

/** Whether a text begins with operators and their shapes. */
export function recogniseOperators(head: string): boolean {
  const list =
    /^\s*\{[\s\S]{0,16384}?"(?:operators|operations|ops|nodes|layers|cases)"\s*:\s*\[\s*(?=\{)/.exec(
      head,
    );
  const first = firstObjectOf(list === null ? head : head.slice(list[0].length));
  return isOperator(first) || (list !== null && declares.test(head) && namesInputs(first));
}

/** Tensors that a document declares by name, with their shapes. */
const declares =
  /"(?:tensors|inputs|values|parameters|weights|initializers)"\s*:\s*\{\s*"[^"\n]{1,256}"\s*:\s*(?:\[\s*(?:\d|"|null)|\{\s*"(?:shape|dims)"\s*:\s*\[)/;

function namesInputs(value: unknown): boolean {
  if (!isFields(value)) return false;
  const named = new NamedValues(value);
  const inputs = named.list(fieldNames.inputs) ?? [];
  return (
    named.text(fieldNames.kind, 256) !== undefined &&
    inputs.length > 0 &&
    inputs.every((input) => typeof input === "string" && input.length <= 512)
  );
}

function isOperator(value: unknown): boolean {
  if (!isFields(value)) return false;
  const named = new NamedValues(value);
  // Steps of agents have operations and inputs as well, but no shapes.
  return (
    named.text(fieldNames.kind, 256) !== undefined &&
    (inputsOf(value).some(({ shape }) => shape !== undefined) || isDeclaration(named))
  );
}

/** A node that is no operator and declares what goes in. */
function isDeclaration(named: NamedValues): boolean {
  const kind = named.text(fieldNames.kind, 64) ?? "";
  return declaring.test(kind) && Array.isArray(named.first("shape outputshape"));
}

const declaring =
  /^(?:placeholder|input|parameter|param|constant|get_?attr|initializer|weight)s?$/i;

/** Reads a document, a list or lines of operators. */
export function readOperators(input: FormatInput): FileContent {
  const name = cutText(input.name.replace(/\.\w+$/, ""), 256);
  const contents: OperatorsContent[] = [];
  const loose: TensorOperator[] = [];
  for (const [index, document] of documentsOf(input.text()).entries()) {
    const whole = isFields(document) ? graphOf(document) : undefined;
    const listed = whole === undefined ? undefined : new NamedValues(whole).list(listNames);
    if (isFields(document) && whole !== undefined && listed !== undefined) {
      const named = new NamedValues({ ...document, ...whole });
      contents.push(
        present({
          kind: "operators" as const,
          name: named.text("name model graph", 256) ?? name,
          framework: named.text("framework", 64),
          operators: withDeclared(operatorsOf(listed, "/operators"), declaredIn(whole)),
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

/** The part of a document that lists operators: itself, or its `graph`. */
function graphOf(document: Fields): Fields {
  const { graph } = document;
  return isFields(graph) && new NamedValues(document).list(listNames) === undefined
    ? graph
    : document;
}

/** Shapes that a document declares by name, apart from its operators. */
function declaredIn(document: Fields): ReadonlyMap<string, TensorShape> {
  const declared = new Map<string, TensorShape>();
  for (const field of declaredNames) {
    const tensors = document[field];
    for (const [name, value] of Object.entries(isFields(tensors) ? tensors : {})) {
      const [tensor] = tensorsOf(Array.isArray(value) ? [value] : value, true);
      if (declared.size < operatorCountMax && tensor?.shape !== undefined)
        declared.set(name, tensor);
    }
  }
  return declared;
}

/** Operators whose inputs have the shapes that were declared for their names. */
function withDeclared(
  operators: readonly TensorOperator[],
  declared: ReadonlyMap<string, TensorShape>,
): TensorOperator[] {
  const known = new Map(declared);
  return operators.flatMap((operator): TensorOperator[] => {
    const [output] = operator.outputs;
    if (declaring.test(operator.operator) && operator.inputs.length === 0) {
      const name = output?.name ?? operator.name;
      if (name !== undefined && output !== undefined) known.set(name, output);
      return [];
    }
    const inputs = operator.inputs.map((input) => {
      const found = input.name === undefined ? undefined : known.get(input.name);
      return found === undefined ? input : { ...found, ...input };
    });
    return [{ ...operator, inputs }];
  });
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
  const operator = named.text(`${fieldNames.kind} type name`, 256);
  if (operator === undefined) return [];
  const name = named.text("name id node", 512);
  const outputs = sideOf(fields, fieldNames.outputs, fieldNames.outputTypes);
  // Nodes of a graph have a shape of their own, which is that of what they give.
  const own =
    outputs.length === 0 && named.first("shape") !== undefined ? [ownTensor(named)] : outputs;
  return [
    present({
      operator,
      name: name === operator ? undefined : name,
      inputs: inputsOf(fields),
      outputs: own,
      attributes: settingsOf(fields),
      pointer,
    }),
  ];
}

function ownTensor(named: NamedValues): TensorShape {
  const [tensor = {}] = tensorsOf(named.first("shape"), true);
  const name = named.text("id name node", 512);
  const dtype = dtypeOf(named.text("dtype", 64));
  return present({ ...tensor, name: tensor.name ?? name, dtype: tensor.dtype ?? dtype });
}

function inputsOf(fields: Fields): TensorShape[] {
  const listed = sideOf(fields, fieldNames.inputs, fieldNames.inputTypes);
  return [...listed, ...separateInputs(fields, listed.length === 0)].slice(0, tensorCountMax);
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
