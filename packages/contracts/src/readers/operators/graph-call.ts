/** One call of a graph as an operator: which of its arguments are tensors, and what the others are called. */

import { bareOperatorName } from "../../model/operator-name.ts";
import type { OperatorAttribute, TensorShape } from "../../model/operators.ts";
import { parametersOf } from "./aten-parameters.ts";
import { attributeOf, type CallArguments, type Expression } from "./python-expression.ts";

/** Tensors and attributes of a call. */
export interface GraphCall {
  readonly inputs: TensorShape[];
  readonly attributes: Record<string, OperatorAttribute>;
}

/** What is known of a name: a tensor, or a number that stands for a length. */
export type Lookup = (name: string) => TensorShape | "number";

/** What an operator of PyTorch takes where it is told nothing. */
const defaults: readonly (readonly [RegExp, Readonly<Record<string, OperatorAttribute>>])[] = [
  [/^conv(?:transpose)?[123]d$/, { stride: 1, padding: 0, groups: 1 }],
  [/^(?:cat|concat|stack|unbind|split|chunk)$/, { dim: 0 }],
  [/^flatten$/, { start_dim: 0 }],
  [/^(?:max|avg)pool[123]d$/, { padding: 0 }],
];
const reductions = /^(?:sum|mean|amax|amin|prod|any|all|argmax|argmin)$/;
const inputCountMax = 1_024;

/** The tensors and the attributes of a call. */
export function callOf(
  target: string,
  { positional, named }: CallArguments,
  lookup: Lookup,
): GraphCall {
  const bare = bareOperatorName(target);
  const names = parametersOf(bare);
  const call: GraphCall = { inputs: [], attributes: {} };
  const into = { call, lookup };
  for (const [index, value] of positional.entries()) {
    const name = names?.[index];
    if (name?.startsWith("*") === true && value.kind !== "list") {
      const rest: Expression = { kind: "list", items: positional.slice(index) };
      take(into, name.slice(1), rest);
      break;
    }
    take(into, name?.replace(/^\*/, "") ?? `argument_${index}`, value);
  }
  for (const [name, value] of named) take(into, name, value);
  if (reductions.test(bare) && call.attributes["dim"] === undefined)
    call.attributes["reduces_all"] = true;
  for (const [pattern, usual] of defaults) {
    if (!pattern.test(bare)) continue;
    for (const [name, value] of Object.entries(usual)) call.attributes[name] ??= value;
  }
  return call;
}

function take(
  { call, lookup }: { readonly call: GraphCall; readonly lookup: Lookup },
  name: string,
  value: Expression,
): void {
  if (call.inputs.length >= inputCountMax) return;
  if (value.kind === "name") {
    const known = lookup(value.name);
    if (known === "number") call.attributes[name] = value.name.slice(0, 128);
    else call.inputs.push(known);
    return;
  }
  if (value.kind === "list") {
    const tensors = value.items.flatMap((item) => {
      const known = item.kind === "name" ? lookup(item.name) : "number";
      return known === "number" ? [] : [known];
    });
    if (tensors.length > 0) {
      call.inputs.push(...tensors.slice(0, inputCountMax - call.inputs.length));
      return;
    }
  }
  const attribute = attributeOf(value);
  if (attribute === undefined) call.inputs.push({});
  else if (attribute !== null) call.attributes[name] = attribute;
}
