/** Whether a tool that an agent calls for one thing, or another one that it was offered, takes many. */

import { isFields } from "../../model/fields.ts";

/** A way to ask for many things at once: the tool, and the argument that takes the list. */
export interface BatchArgument {
  readonly tool: string;
  readonly argument: string;
}

/** An argument for a list of what `key` of `tool` takes one by one; `undefined` when none was offered. */
export function batchArgumentFor(
  offered: readonly unknown[],
  tool: string,
  key: string,
): BatchArgument | undefined {
  const listed = offered.flatMap(toolOf);
  const own = listed.filter(({ name }) => name === tool);
  const others = listed.filter(({ name }) => name !== tool && isRelated(name, tool));
  for (const { name, lists } of [...own, ...others]) {
    const argument = lists.find((list) => isPluralOf(list, key));
    if (argument !== undefined) return { tool: name, argument };
  }
  return undefined;
}

interface OfferedTool {
  readonly name: string;
  /** Names of the arguments that take a list. */
  readonly lists: readonly string[];
}

/** A tool in the form of OpenAI, Anthropic, MCP or the semantic conventions. */
function toolOf(value: unknown): OfferedTool[] {
  if (!isFields(value)) return [];
  const body = isFields(value["function"]) ? value["function"] : value;
  const { name } = body;
  const schema = [body["parameters"], body["input_schema"], body["inputSchema"]].find(isFields);
  const properties = schema?.["properties"];
  if (typeof name !== "string" || !isFields(properties)) return [];
  const lists = Object.entries(properties)
    .filter(([, property]) => isFields(property) && takesList(property["type"]))
    .map(([property]) => property);
  return [{ name, lists }];
}

function takesList(type: unknown): boolean {
  return type === "array" || (Array.isArray(type) && type.includes("array"));
}

/** `ids` of `id`, `order_ids` of `order_id` or `id`. */
function isPluralOf(list: string, key: string): boolean {
  const [plain, single] = [normalise(list), normalise(key)];
  return (
    plain === `${single}s` ||
    plain === `${single}list` ||
    (plain.endsWith("s") && plain.slice(0, -1).endsWith(single))
  );
}

/** `get_orders` and `batch_get_order` beside `get_order`. */
function isRelated(name: string, tool: string): boolean {
  const [plain, single] = [normalise(name), normalise(tool)];
  const bare = plain.replace(/batch|bulk|many|multiple|multi/, "");
  return bare === single || bare === `${single}s` || plain === `${single}s`;
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
