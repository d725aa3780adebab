/** A chat template gives the model every message, and its first token once. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { ModelTemplate } from "../model/model-release.ts";
import { parseTemplate } from "../jinja/parse-template.ts";
import { renderTemplate } from "../jinja/render-template.ts";
import { TemplateError } from "../jinja/template-error.ts";
import { foreignMarks } from "./foreign-template.ts";
import { partReference, type Placed, type Release, releasesOf } from "./release.ts";
import { roleText } from "./token-table.ts";

export const chatTemplate: Contract = defineContract({
  id: "versions/chat-template",
  version: 2,
  boundary: "model-tokenizer",
  promise:
    "The chat template of a model can be rendered, holds what the user says, marks turns as its tokenizer does, and begins with the model's first token at most once.",
  reads: ["model-release"],
  options: {},
  check(snapshot, _options, found) {
    return releasesOf(snapshot).flatMap((release) =>
      (release.templates.length === 0
        ? absentTemplate(release)
        : release.templates.slice(0, templateCountMax).map((template) => judge(release, template))
      ).map(found),
    );
  },
});

const templateCountMax = 20;
/** What no template says of itself. */
const said = "What weighs 4711 grams?";

type Rendered = { readonly text: string } | { readonly error: TemplateError };

function judge(release: Release, placed: Placed<ModelTemplate>): FindingParts {
  const subject = { kind: "chat-template", name: `${release.name}: ${placed.part.name}` };
  const rendered = render(release, placed.part.text);
  const evidence = [partReference(release, placed, placed.part.text.slice(0, 400))];
  const words = `The chat template of ${release.name}`;
  if ("error" in rendered) {
    return { subject, evidence, ...unrendered(rendered.error, words) };
  }
  const { text } = rendered;
  const begin = roleText(release, "bos");
  const shown = text.slice(0, 400);
  // Templates beside the first may be for what has no conversation, such as a search.
  if (!text.includes(said) && placed.part.name === "default") {
    return {
      verdict: "violated",
      subject,
      causeKind: "configuration",
      title: `${words} leaves out what the user says.`,
      actual: `A conversation with one message is rendered as ${JSON.stringify(shown)}.`,
      evidence,
      fixes: [{ description: "Take the template of the release of the model.", cost: 1 }],
    };
  }
  const foreign = foreignMarks(release, placed.part.text, text);
  if (foreign !== undefined) {
    return {
      verdict: "violated",
      subject,
      causeKind: "identity",
      title: `${words} is of another model: it writes ${listed(foreign.written)}, which are no tokens here, and not ${listed(foreign.unused)}.`,
      actual: `A conversation with one message is rendered as ${JSON.stringify(shown)}.`,
      evidence,
      fixes: [{ description: "Take the template of the release of the model.", cost: 1 }],
    };
  }
  if (begin !== undefined && text.trimStart().startsWith(begin + begin)) {
    return {
      verdict: "violated",
      subject,
      causeKind: "configuration",
      title: `${words} begins with ${begin} twice.`,
      actual: `A conversation with one message is rendered as ${JSON.stringify(shown)}.`,
      evidence,
      fixes: [{ description: `Write ${begin} once.`, cost: 1 }],
    };
  }
  return {
    verdict: "holds",
    subject,
    title: `${words} holds what the user says.`,
    actual: `A conversation with one message is rendered as ${JSON.stringify(shown)}.`,
    evidence,
    nextChecks:
      begin !== undefined && text.startsWith(begin)
        ? [
            "Tokenise the rendered text without special tokens: the template has written the first one.",
          ]
        : [],
  };
}

/** A template that is cut is at fault; what cannot be rendered here may be rendered elsewhere. */
function unrendered(
  { kind, message }: TemplateError,
  words: string,
): Omit<FindingParts, "subject" | "evidence"> {
  if (kind === "unclosed") {
    return {
      verdict: "violated",
      causeKind: "configuration",
      title: `${words} is cut: ${message}`,
      actual: message,
      fixes: [{ description: "Take the template of the release as a whole.", cost: 1 }],
    };
  }
  return {
    verdict: "inconclusive",
    causeKind: "none",
    title: `${words} could not be rendered here: ${message}`,
    actual: message,
    missing: ["a rendering of this template by the program that serves the model"],
  };
}

const marksListedMax = 3;

function listed(marks: readonly string[]): string {
  return marks.slice(0, marksListedMax).join(", ");
}

/** The text of a conversation with one message; of its content as text, else as a list of parts. */
function render(release: Release, template: string): Rendered {
  const plain = renderOnce(release, template, said);
  if ("text" in plain && plain.text.includes(said)) return plain;
  const inParts = renderOnce(release, template, [{ type: "text", text: said }]);
  return "text" in inParts && inParts.text.includes(said) ? inParts : plain;
}

function renderOnce(release: Release, template: string, content: unknown): Rendered {
  const tokens = Object.fromEntries(
    (["bos", "eos", "pad", "unk"] as const).map((role) => [
      `${role}_token`,
      roleText(release, role) ?? "",
    ]),
  );
  const variables = {
    ...tokens,
    messages: [{ role: "user", content }],
    add_generation_prompt: true,
  };
  try {
    return { text: renderTemplate(parseTemplate(template), variables) };
  } catch (error) {
    if (error instanceof TemplateError) return { error };
    throw error;
  }
}

/** Names of models that were trained for conversations. */
const chatName = /instruct|chat|(?:^|[-_])it(?:$|[-_])/i;

function absentTemplate(release: Release): FindingParts[] {
  const { config, tokenizerConfig } = release;
  const path = config?.part.values["_name_or_path"];
  const isChat = chatName.test(release.name) || (typeof path === "string" && chatName.test(path));
  if (!isChat || tokenizerConfig === undefined || release.tokenizer === undefined) return [];
  return [
    {
      verdict: "inconclusive",
      subject: { kind: "chat-template", name: `${release.name}: default` },
      title: `${release.name} is called as a model for conversations is, and has no chat template.`,
      actual: "No file of its folder holds a template.",
      evidence: [partReference(release, tokenizerConfig, "no chat_template")],
      missing: ["chat_template.jinja, or chat_template in tokenizer_config.json"],
    },
  ];
}
