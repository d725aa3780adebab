/** Where the record of an operator keeps its tensors and settings: under one field, or each under one of its own. */

import type { OperatorAttribute, TensorShape } from "../../model/operators.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { NamedValues } from "../training/named-values.ts";
import { tensorsOf } from "./tensor-shape.ts";

/** Names of fields, in lower case and without separators. */
export const fieldNames = {
  kind: "op operator optype operation kind target",
  inputs: "inputs input inputshapes inputshape inputdims operands",
  outputs: "outputs output outputshapes outputshape outputdims result",
  inputTypes: "inputdtypes inputtypes inputtype inputdtype dtypes",
  outputTypes: "outputdtypes outputtypes outputtype outputdtype",
  settings: "attributes attrs params kwargs config",
} as const;

/** Pairs and triples of inputs that stand each under a name of its own. */
const separate = ["lhs rhs", "left right", "a b", "x y", "query key value mask", "mat1 mat2"];
/** What belongs to a layer beside its input. */
const belonging = ["weight", "bias"];
const takesSeparate =
  /mat_?mul|add|sub|mul|div|^b?mm$|dot|linear|conv|attention|where|equal|max|min|pow|gemm|concat|broadcast/i;

const takesIndex = /gather|scatter|index_?select/i;
/** What numbers a record elsewhere is a setting of these. */
const numbered: readonly (readonly [string, RegExp])[] = [
  ["step", /slice/i],
  ["index", /select/i],
];

const known = new Set(
  [
    ...Object.values(fieldNames),
    ...separate,
    "name id node type shape dtype pointer line index step framework valid status ok error expected message note description comment label expectedoutput expectedshape expectedoutputshape source",
  ].flatMap((names) => names.split(" ")),
);

/** Inputs of a record without a field for all of them, and what belongs to it. */
export function separateInputs(fields: Fields, isAlone: boolean): TensorShape[] {
  const named = new NamedValues(fields);
  const kind = named.text(fieldNames.kind, 256) ?? "";
  const group = separate.find(
    (names) => named.first(`${names.split(" ")[0]}shape ${names.split(" ")[0]}`) !== undefined,
  );
  const inputs: TensorShape[] = [];
  if (isAlone && group !== undefined && takesSeparate.test(kind)) {
    for (const name of group.split(" "))
      inputs.push(...oneTensor(named.first(`${name}shape ${name}`)));
  }
  if (takesIndex.test(kind) && typeof named.first("index indexshape indices") === "object") {
    inputs.push(...oneTensor(named.first("indexshape index indices")));
  }
  for (const name of belonging) {
    const value = named.first(`${name}shape ${name}dims ${name}`);
    if (typeof value !== "boolean") inputs.push(...oneTensor(value));
  }
  return inputs;
}

function oneTensor(value: unknown): TensorShape[] {
  return value === undefined ? [] : tensorsOf(value, true).slice(0, 1);
}

/** Settings of a record: those of its field for them, and what stands beside the fields that are known. */
export function settingsOf(fields: Fields): Record<string, OperatorAttribute> {
  const kind = new NamedValues(fields).text(fieldNames.kind, 256) ?? "";
  const beside = Object.entries(fields).filter(([name, value]) => {
    const bare = name.toLowerCase().replace(/[^a-z0-9]/g, "");
    const own = numbered.find(([word]) => word === bare)?.[1];
    if (own !== undefined) return typeof value === "number" && own.test(kind);
    return !known.has(bare) && !/^(?:weight|bias)(?:shape|dims)?$/.test(bare);
  });
  const own = new NamedValues(fields).first(fieldNames.settings);
  return { ...attributesOf(Object.fromEntries(beside)), ...attributesOf(own) };
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
