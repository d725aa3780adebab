/** How much of a profile each function has. */

import type { ProfileContent } from "../model/profile.ts";
import { isStandard } from "./go-function.ts";

/** Functions of allocators and of the runtime's own work, which whoever calls them is to blame for. */
const ofRuntime = /^(?:runtime|internal\/runtime\/\w+|reflect|internal\/bytealg)\./;

/** The column of a profile's values with one of these names, in the order of preference. */
export function columnOf(content: ProfileContent, names: readonly string[]): number | undefined {
  for (const name of names) {
    const index = content.measures.findIndex(({ type }) => type === name);
    if (index >= 0) return index;
  }
  return undefined;
}

export interface ProfileShares {
  readonly total: number;
  /** What was spent or held in a function or below it. */
  readonly cumulative: ReadonlyMap<string, number>;
  /** What was spent or held on behalf of the innermost function that is not the runtime's or Go's own. */
  readonly own: ReadonlyMap<string, number>;
}

/** The shares of every function in one column. */
export function sharesOf(content: ProfileContent, column: number): ProfileShares {
  const cumulative = new Map<string, number>();
  const own = new Map<string, number>();
  const names = content.frames.map((frame) => frame.function);
  let total = 0;
  for (const { stack, values } of content.samples) {
    const value = values[column] ?? 0;
    if (value <= 0) continue;
    total += value;
    const functions = new Set(stack.map((index) => names[index] ?? "unknown"));
    for (const name of functions) cumulative.set(name, (cumulative.get(name) ?? 0) + value);
    const blamed = blamedOf(stack.map((index) => names[index] ?? "unknown"));
    own.set(blamed, (own.get(blamed) ?? 0) + value);
  }
  return { total, cumulative, own };
}

/** The innermost function in which most was allocated on behalf of a site, when it is not the site itself. */
export function allocatedIn(
  content: ProfileContent,
  column: number,
  site: string,
): string | undefined {
  const byFunction = new Map<string, number>();
  const names = content.frames.map((frame) => frame.function);
  for (const { stack, values } of content.samples) {
    const functions = stack.map((index) => names[index] ?? "unknown");
    const value = values[column] ?? 0;
    if (value <= 0 || blamedOf(functions) !== site) continue;
    const inner = functions.find((name) => !ofRuntime.test(name)) ?? site;
    byFunction.set(inner, (byFunction.get(inner) ?? 0) + value);
  }
  const [most] = [...byFunction].sort(([, left], [, right]) => right - left);
  return most === undefined || most[0] === site ? undefined : most[0];
}

function blamedOf(functions: readonly string[]): string {
  return (
    functions.find((name) => !isStandard(name)) ??
    functions.find((name) => !ofRuntime.test(name)) ??
    functions[0] ??
    "unknown"
  );
}
