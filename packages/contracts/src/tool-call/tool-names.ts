/** Tools by name: providers rewrite names that they do not allow, and put their namespace before others. */

import type { ToolDefinition } from "../model/evidence.ts";

/** Namespaces under which providers show tools to the model; a call may bear them. */
const providerPrefix = /^(?:functions|default_api|tools)[.:]/;
/** What a name may hold at every provider. */
const plainName = /^[\w-]+$/;

/** The definition that a call's name means, or nothing when no tool of the list has it. */
export function definitionOf(
  name: string,
  tools: readonly ToolDefinition[],
): ToolDefinition | undefined {
  return (
    tools.find((tool) => tool.name === name) ??
    tools.find((tool) => !plainName.test(tool.name) && asPlainName(tool.name) === name) ??
    (providerPrefix.test(name) ? definitionOf(name.replace(providerPrefix, ""), tools) : undefined)
  );
}

/** A name as it is sent to providers that allow letters, digits, `_` and `-` only. */
function asPlainName(name: string): string {
  return name.replaceAll(/[^\w-]/g, "_");
}
