/** A call of a loss with what a trace of calls keeps of its arguments: their types and shapes, but no values. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { LossCall } from "../../model/training.ts";
import { lossOf } from "./step-record.ts";

/** The call, or nothing where its two tensors are not recorded. */
export function tracedLoss(name: string, record: Fields): LossCall | undefined {
  const isMethod = name.endsWith(".forward");
  const parts = name.split(".");
  const args = valuesOf(record["args"]);
  const kwargs = isFields(record["kwargs"]) ? record["kwargs"] : {};
  const settings = isMethod ? innerOf(args[0]) : {};
  const [input, target] = isMethod ? args.slice(1) : args;
  const [loss] = lossOf({
    ...settings,
    ...named(kwargs),
    loss: parts.at(isMethod ? -2 : -1),
    input: innerOf(input ?? kwargs["input"]),
    target: innerOf(target ?? kwargs["target"]),
  });
  return loss;
}

/** Arguments stand under their places. */
function valuesOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isFields(value)
    ? Object.keys(value)
        .toSorted((left, right) => Number(left) - Number(right))
        .map((place) => value[place])
    : [];
}

/** What a value holds, without the name of its type around it. */
function innerOf(value: unknown): Fields {
  const [inner]: unknown[] = isFields(value) ? Object.values(value) : [];
  return isFields(inner) ? inner : {};
}

function named(kwargs: Fields): Fields {
  return Object.fromEntries(
    Object.entries(kwargs).map(([name, value]) => [
      name,
      isFields(value) ? Object.values(value)[0] : value,
    ]),
  );
}
