/** `docs/reference/translation.md`, from the tables that the translation itself goes by. */

import { chatFields } from "./fields/chat-fields.ts";
import type { Fate, FieldRow, FieldTable } from "./fields/field-table.ts";
import { messagesFields } from "./fields/messages-fields.ts";
import { responsesFields } from "./fields/responses-fields.ts";
import { type Surface, surfaces, surfaceTitles } from "./surface.ts";
import { translationLimits } from "./translation-limits.ts";

const tables: Readonly<Record<Surface, Readonly<Record<string, FieldTable>>>> = {
  chat: chatFields,
  responses: responsesFields,
  messages: messagesFields,
};

/** The whole page. */
export function translationReference(): string {
  return `${[introduction, ...surfaces.map(requestSection), replies, limitsSection()].join("\n\n")}\n`;
}

const introduction = `# Translation between dialects

A caller may speak one dialect and the provider that serves the model another. The gateway then translates the request,
the reply, the stream and errors. Surfaces: \`chat\` is OpenAI's chat completions, \`responses\` is OpenAI's responses,
\`messages\` is Anthropic's messages.

What the provider's surface cannot say is never dropped silently:

- **left out**: the answer is the same without it, or nearly so. The reply's header \`x-faultline-translation-loss\` names
  each by its JSON pointer, and why.
- **refused**: without it the request would mean something else. The request ends with \`translation_unsupported\` (400),
  and \`param\` or the message names the place. The provider is not called.
- A field that is in no table here is left out, and named in the header.
- A neutral value says what is so anyway; it is left out without a word. \`null\` is always one.

This page is generated from the tables in \`packages/server/src/gateway/translation/fields\`; a test holds it up to date.`;

function requestSection(from: Surface): string {
  const targets = surfaces.filter((surface) => surface !== from);
  const parts = Object.values(tables[from]).map((table) => fieldTable(table, targets));
  return [`## Requests of ${surfaceTitles[from]}`, ...parts].join("\n\n");
}

function fieldTable({ place, fields }: FieldTable, targets: readonly Surface[]): string {
  const title = place === "" ? "### The request" : `### \`${place}\``;
  const head = `| field | neutral | ${targets.map((to) => `for \`${to}\``).join(" | ")} |`;
  const rule = `| --- | --- |${targets.map(() => " --- |").join("")}`;
  const rows = Object.entries(fields).map(
    ([name, row]) =>
      `| \`${name}\` | ${neutralText(row)} | ${targets.map((to) => fateText(row.to[to])).join(" | ")} |`,
  );
  return [title, [head, rule, ...rows].join("\n")].join("\n\n");
}

function neutralText({ neutral }: FieldRow): string {
  return neutral.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
}

function fateText(fate: Fate | undefined): string {
  switch (fate?.kind) {
    case undefined:
      return "";
    case "carried":
      return fate.as;
    case "lost":
      return `left out${unlessText(fate.unless)}: ${fate.why}`;
    case "refused":
      return `**refused**: ${fate.why}`;
  }
}

function unlessText(unless: unknown): string {
  return unless === undefined ? "" : `, and named unless \`${JSON.stringify(unless)}\``;
}

const replies = `## Replies and streams

| what | \`chat\` | \`responses\` | \`messages\` |
| --- | --- | --- | --- |
| text | \`content\` | \`output_text\` | \`text\` |
| refusal in words | \`refusal\` | \`refusal\` | \`text\`, \`stop_reason\` \`refusal\` |
| reasoning | \`reasoning_content\` | \`reasoning\` with one \`summary_text\` | \`thinking\` |
| its state | \`reasoning_details\` | \`encrypted_content\` | \`signature\`, or \`redacted_thinking\` |
| call of a tool | \`tool_calls\`, counted from 0 | \`function_call\` | \`tool_use\` |
| call of a tool of free text | \`tool_calls[].custom\` | \`custom_tool_call\` | |
| done | \`stop\` | \`completed\` | \`end_turn\` |
| a stop sequence | \`stop\` | \`completed\` | \`stop_sequence\`, when the provider names it |
| the token limit | \`length\` | \`incomplete\`, \`max_output_tokens\` | \`max_tokens\` |
| the context is full | \`length\` | \`incomplete\`, \`max_output_tokens\` | \`model_context_window_exceeded\` |
| tools are called | \`tool_calls\` | \`completed\` | \`tool_use\` |
| filtered | \`content_filter\` | \`incomplete\`, \`content_filter\` | \`refusal\` |
| input tokens | \`prompt_tokens\`, all | \`input_tokens\`, all | \`input_tokens\`, without those read from and written to the cache |
| read from the cache | \`prompt_tokens_details.cached_tokens\` | \`input_tokens_details.cached_tokens\` | \`cache_read_input_tokens\` |
| written to the cache | \`prompt_tokens_details.cache_write_tokens\` | \`input_tokens_details.cache_write_tokens\` | \`cache_creation_input_tokens\` |
| output tokens, all | \`completion_tokens\` | \`output_tokens\` | \`output_tokens\` |
| reasoning tokens | \`completion_tokens_details.reasoning_tokens\` | \`output_tokens_details.reasoning_tokens\` | \`output_tokens_details.thinking_tokens\` |
| end of a stream | \`[DONE]\` | \`response.completed\`, \`response.incomplete\` | \`message_stop\` |
| error in a stream | \`error\` | \`error\` | \`error\` |

- Providers sign or encrypt reasoning and want it back as it was. A caller of another surface gets that state sealed in
  its own surface's field for it and sends it back unread; it returns only to a provider of the surface that made it. For
  others the reasoning is left out, and named in the header.
- Calls of tools are given out one after the other, each whole, also when the provider interleaves them.
- A call of a tool in whose arguments the token limit or a filter stopped the model is left out of a whole reply of
  \`messages\`, which has room for whole arguments only.
- Ids of calls that the provider's surface does not allow are rewritten in the request, calls and results alike. Names of
  tools that it does not allow are rewritten, and turned back in the reply.
- Numbers keep their digits, also those that a double cannot hold.
- Not carried, for there is no place for them: citations and annotations, log probabilities, audio, fingerprints.
- A reply that is not in the wire format of its surface ends with \`provider_response_invalid\`; a stream that ends before
  its terminator with \`provider_stream_cut\`.`;

function limitsSection(): string {
  const rows: readonly (readonly [string, number])[] = [
    ["nesting of a body, an event, or the arguments of a tool", translationLimits.jsonDepthMax],
    ["blocks of one reply", translationLimits.replyBlockCountMax],
    ["blocks of one reply that are received at once", translationLimits.replyOpenBlockCountMax],
    ["characters of one reply", translationLimits.replyLengthMax],
    ["characters of a name or an id in a reply", translationLimits.replyNameLengthMax],
    [
      "characters of a provider's error message; the rest is cut",
      translationLimits.errorMessageLengthMax,
    ],
    [
      "kinds of loss that are named for one request; the rest is counted",
      translationLimits.lossCountMax,
    ],
  ];
  const lines = rows.map(([what, max]) => `| ${what} | ${max} |`);
  return ["## Limits", ["| what | at most |", "| --- | --- |", ...lines].join("\n")].join("\n\n");
}
