/** Layers as PyTorch prints a module: `(fc1): Linear(in_features=784, out_features=10, bias=True)`, one inside the other. */

import type { OperatorAttribute } from "../../model/operators.ts";
import { attributeOf, expressionOf } from "./python-expression.ts";

/** A layer by its path. */
export interface PrintedLayer {
  readonly className: string;
  readonly attributes: Readonly<Record<string, OperatorAttribute>>;
}

/** What layers print by place and not by name. */
const places: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^Conv(?:Transpose)?[123]d$/, ["in_channels", "out_channels"]],
  [/^(?:Batch|Instance)Norm[123]d$/, ["num_features"]],
  [/^Embedding(?:Bag)?$/, ["num_embeddings", "embedding_dim"]],
  [/^(?:Layer|RMS)Norm$/, ["normalized_shape"]],
  [/^GroupNorm$/, ["num_groups", "num_channels"]],
];

/** Gathers the layers of a printed module, line by line. */
export class PrintedLayers {
  readonly byPath = new Map<string, PrintedLayer>();
  readonly #above: { readonly indent: number; readonly name: string }[] = [];

  /** Takes a line; whether it was one of a layer. */
  take(line: string): boolean {
    const found = /^(\s*)\(([\w.]{1,128})\): ([A-Za-z_]\w{0,127})\((.{0,4000})$/.exec(line);
    if (found === null) return false;
    const [, space = "", name = "", className = "", rest = ""] = found;
    while ((this.#above.at(-1)?.indent ?? -1) >= space.length) this.#above.pop();
    this.#above.push({ indent: space.length, name });
    const path = this.#above.map((layer) => layer.name).join(".");
    if (rest.endsWith(")"))
      this.byPath.set(path, { className, attributes: valuesOf(className, rest) });
    return true;
  }
}

function valuesOf(className: string, rest: string): Record<string, OperatorAttribute> {
  const read = expressionOf(`${className}(${rest}`);
  if (read.kind !== "call") return {};
  const names = places.find(([pattern]) => pattern.test(className))?.[1] ?? [];
  const values = [
    ...read.call.positional.map((value, index) => [names[index] ?? "", value] as const),
    ...read.call.named,
  ];
  const kept: [string, OperatorAttribute][] = [];
  for (const [name, value] of values) {
    const attribute = attributeOf(value);
    if (name !== "" && attribute !== undefined) kept.push([name, attribute]);
  }
  const defaults: Record<string, OperatorAttribute> = /^(?:Conv|ConvTranspose)[123]d$/.test(
    className,
  )
    ? { stride: 1, padding: 0, groups: 1 }
    : {};
  return { ...defaults, ...Object.fromEntries(kept) };
}
