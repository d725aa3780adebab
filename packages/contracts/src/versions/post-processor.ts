/** What a tokenizer puts around a text: whether it does so once, and with the ids of its own tokens. */

import { isFields } from "../model/fields.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { ModelTokenizer } from "../model/model-release.ts";
import { partReference, type Placed, type Release } from "./release.ts";

/** The tokens that a template of a post-processor puts before and behind a text. */
export function tokensAround(postProcessor: unknown): readonly string[] {
  return templatesIn(postProcessor).flatMap(({ single }) => single);
}

interface Template {
  /** The texts of special tokens around a single text, and `""` for the text itself. */
  readonly single: readonly string[];
  readonly ids: ReadonlyMap<string, readonly number[]>;
}

const processorCountMax = 32;

function templatesIn(postProcessor: unknown): Template[] {
  if (!isFields(postProcessor)) return [];
  const inner: unknown[] = Array.isArray(postProcessor["processors"])
    ? postProcessor["processors"].slice(0, processorCountMax)
    : [postProcessor];
  return inner.filter(isFields).flatMap((processor): Template[] => {
    if (processor["type"] !== "TemplateProcessing") return [];
    const items: unknown[] = Array.isArray(processor["single"]) ? processor["single"] : [];
    const single = items.filter(isFields).map((item) => {
      const special = item["SpecialToken"];
      return isFields(special) && typeof special["id"] === "string" ? special["id"] : "";
    });
    const special = isFields(processor["special_tokens"]) ? processor["special_tokens"] : {};
    const ids = Object.entries(special).map(([text, value]): [string, readonly number[]] => {
      const list: unknown[] = isFields(value) && Array.isArray(value["ids"]) ? value["ids"] : [];
      return [text, list.filter((id) => typeof id === "number")];
    });
    return [{ single, ids: new Map(ids) }];
  });
}

/** Tokens that are added twice, or whose ids are not those of the tokenizer. */
export function postProcessorFaults(release: Release): FindingParts[] {
  const { tokenizer } = release;
  const templates = templatesIn(tokenizer?.part.postProcessor);
  if (tokenizer === undefined) return [];
  return templates.flatMap((template) => [
    ...doubled(release, tokenizer, template),
    ...foreignIds(release, tokenizer, template),
  ]);
}

function doubled(
  release: Release,
  tokenizer: Placed<ModelTokenizer>,
  { single }: Template,
): FindingParts[] {
  const text = single.find((token, index) => token !== "" && token === single[index - 1]);
  if (text === undefined) return [];
  const added = single.map((token) => (token === "" ? "text" : token)).join(" ");
  return [
    {
      verdict: "violated",
      subject: { kind: "special-token", name: `${release.name}: ${text}` },
      causeKind: "configuration",
      title: `The tokenizer of ${release.name} adds ${text} twice.`,
      actual: `Its post-processor makes of each text: ${added}.`,
      evidence: [partReference(release, tokenizer, `post_processor: ${added}`)],
      fixes: [{ description: `Add ${text} once in the template of the post-processor.`, cost: 1 }],
    },
  ];
}

function foreignIds(
  release: Release,
  tokenizer: Placed<ModelTokenizer>,
  { ids }: Template,
): FindingParts[] {
  return [...ids].flatMap(([text, [id, ...more]]): FindingParts[] => {
    const known = tokenizer.part.tokens.find((token) => token.text === text);
    if (known === undefined || id === undefined || more.length > 0 || id === known.id) return [];
    return [
      {
        verdict: "violated",
        subject: { kind: "special-token", name: `${release.name}: ${text}` },
        causeKind: "identity",
        title: `The tokenizer of ${release.name} adds ${text} as ${id}, and its vocabulary has it at ${known.id}.`,
        actual: `The post-processor gives ${text} the id ${id}.`,
        measures: { tokenId: known.id, tokenIdAdded: id },
        evidence: [
          partReference(release, tokenizer, `post_processor: ${text}: ${id}`),
          partReference(release, tokenizer, `${text}: ${known.id}`),
        ],
        fixes: [
          { description: "Take the post-processor and the vocabulary from one release.", cost: 1 },
        ],
      },
    ];
  });
}
