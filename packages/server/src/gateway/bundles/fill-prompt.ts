/** The system prompt of a bundle for one request: its text with the values of its variables. */

import { PlatformError, type PromptVariable, type SystemPrompt } from "@faultline/protocol";

import { defaultVariableLength, variablePattern } from "#catalog/index.ts";

export interface PromptSources {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** An entry of the request's `metadata`. */
  metadata(name: string): string | undefined;
}

/** Throws `request_invalid` where a value is missing, or longer than its variable allows. */
export function fillPrompt({ text, variables = [] }: SystemPrompt, sources: PromptSources): string {
  if (variables.length === 0) return text;
  const values = new Map(
    variables.map((variable) => [variable.name, valueOf(variable, sources)] as const),
  );
  return text.replaceAll(variablePattern, (_, name: string) => values.get(name.trim()) ?? "");
}

function valueOf(variable: PromptVariable, sources: PromptSources): string {
  const { from, lengthMax = defaultVariableLength } = variable;
  const given = "header" in from ? sources.headers[from.header] : sources.metadata(from.metadata);
  const value = (typeof given === "string" ? given : undefined) ?? variable.default;
  const [source, where] =
    "header" in from
      ? [`the header ${from.header}`, `header ${from.header}`]
      : [`metadata.${from.metadata}`, `/metadata/${from.metadata}`];
  if (value === undefined) {
    throw new PlatformError(
      "request_invalid",
      `The bundle's prompt needs ${source}, and the request has none.`,
      { where, hint: `It is the variable "${variable.name}" of the prompt.` },
    );
  }
  if (value.length > lengthMax) {
    throw new PlatformError(
      "request_invalid",
      `The value of ${source} has ${value.length} characters; the bundle's prompt takes ${lengthMax}.`,
      { where },
    );
  }
  return value;
}
