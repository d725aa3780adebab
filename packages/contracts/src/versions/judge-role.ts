/** Whether the token of a role (first, last, padding, unknown) is the same for the model and its tokenizer. */

import type { FindingParts } from "../model/make-finding.ts";
import type { ModelTokenizer } from "../model/model-release.ts";
import { modelLimits } from "../readers/models/limits.ts";
import { embeddingRows } from "./embedding.ts";
import { tokensAround } from "./post-processor.ts";
import { partReference, type Placed, type Release, settingReference } from "./release.ts";
import { configuredIds, roleText, type TokenRole, toldTokens } from "./token-table.ts";

const roleWords: Readonly<Record<TokenRole, string>> = {
  bos: "first token",
  eos: "last token",
  pad: "padding token",
  unk: "token for what is unknown",
};

/** Models that make text; encoders of pictures' captions carry ids in their settings that nothing reads. */
const makesText =
  /CausalLM|LMHeadModel|ForMaskedLM|ForConditionalGeneration|ForSequenceClassification/;

/** A fault or a doubt about a role, when there is one. */
export function judgeRole(release: Release, role: TokenRole): FindingParts | undefined {
  const ofGguf = judgeGguf(release, role);
  if (ofGguf !== undefined) return ofGguf;
  const endless = role === "eos" ? endlessGeneration(release) : undefined;
  if (endless !== undefined) return endless;
  const text = roleText(release, role);
  if (text === undefined) return undefined;
  const ids = new Set(
    toldTokens(release)
      .filter(({ token }) => token.text === text)
      .map(({ token }) => token.id),
  );
  const [id] = ids;
  if (id === undefined) return missingToken(release, role, text);
  // Lists that contradict one another are a finding of their own.
  if (ids.size > 1 || release.tokenizer?.part.form === "sentencepiece") return undefined;
  return judgeIds(release, role, { text, id });
}

/** A token that no complete vocabulary has gets a new id when it is loaded, for which there was no training. */
function missingToken(release: Release, role: TokenRole, text: string): FindingParts | undefined {
  const { tokenizer, tokenizerConfig, specialTokens } = release;
  const settings = tokenizerConfig ?? specialTokens;
  if (tokenizer === undefined || settings === undefined) return undefined;
  const isComplete = tokenizer.part.form === "tokenizers" && tokenizer.part.vocabularySize > 0;
  if (!isComplete) return undefined;
  const isFirm = role === "bos" || role === "eos";
  return {
    verdict: isFirm ? "violated" : "inconclusive",
    subject: { kind: "special-token", name: `${release.name}: ${text}` },
    causeKind: isFirm ? "identity" : "none",
    title: `The ${roleWords[role]} of ${release.name} is ${text}, which its tokenizer does not have.`,
    actual: `${tokenizer.part.file} has ${tokenizer.part.vocabularySize} tokens, and ${text} is none of them.`,
    evidence: [
      settingReference(release, settings, `${role}_token`),
      partReference(release, tokenizer, `${tokenizer.part.vocabularySize} tokens without ${text}`),
    ],
    missing: isFirm ? [] : ["whether this token is ever used"],
    fixes: [{ description: "Take the tokenizer and its settings from one release.", cost: 1 }],
  };
}

/** Generation that is told to end at tokens of which the model has none never ends. */
function endlessGeneration(release: Release): FindingParts | undefined {
  const { generation } = release;
  const ids = configuredIds(generation, "eos");
  const rows = embeddingRows(release);
  if (generation === undefined || rows === undefined || ids.length === 0) return undefined;
  if (!ids.every((id) => id >= rows.rowCount)) return undefined;
  const shape = `${rows.tensor.name} has the shape [${rows.tensor.shape.join(", ")}]`;
  return {
    verdict: "violated",
    subject: { kind: "special-token", name: `${release.name}: eos_token` },
    causeKind: "identity",
    title: `Generation of ${release.name} ends at ${ids.join(", ")}, which its model with ${rows.rowCount} rows cannot give.`,
    actual: `${generation.part.file} names ${ids.join(", ")} as eos_token_id; ${shape}.`,
    measures: { tokenIdConfigured: ids[0], rowCount: rows.rowCount },
    evidence: [
      settingReference(release, generation, "eos_token_id"),
      partReference(release, rows.placed, shape),
    ],
    fixes: [{ description: "Take generation_config.json of the release of the model.", cost: 1 }],
  };
}

function judgeIds(
  release: Release,
  role: TokenRole,
  { text, id }: { readonly text: string; readonly id: number },
): FindingParts | undefined {
  const { config, generation, tokenizer } = release;
  const configured = configuredIds(config, role);
  const generated = configuredIds(generation, role);
  const all = [...configured, ...generated];
  if (all.length === 0 || all.includes(id)) return undefined;
  const architectures = JSON.stringify(config?.part.values["architectures"] ?? []);
  const isFirm =
    makesText.test(architectures) &&
    tokenizer !== undefined &&
    isFault(release, role, { text, ids: all, isGenerationTold: generated.length > 0 });
  const settings = configured.length > 0 ? config : generation;
  const file = tokenizer ?? release.declared[0];
  if (settings === undefined || file === undefined) return undefined;
  const told = [...new Set(all)].join(", ");
  return {
    verdict: isFirm ? "violated" : "inconclusive",
    subject: { kind: "special-token", name: `${release.name}: ${role}_token` },
    causeKind: isFirm ? "identity" : "none",
    title: `The ${roleWords[role]} of ${release.name} is ${told} for the model, and ${id} (${text}) for its tokenizer.`,
    actual: `${settings.part.file} names ${told} as ${role}_token_id; ${file.part.file} has ${text} at ${id}.`,
    measures: { tokenId: id, tokenIdConfigured: all[0] },
    evidence: [
      settingReference(release, settings, `${role}_token_id`),
      partReference(release, file, `${JSON.stringify(text)}: ${id}`),
    ],
    missing: isFirm ? [] : [`which ${roleWords[role]} the model was trained with`],
    fixes: [
      {
        description: `Set ${role}_token_id to ${id}, or the tokenizer's ${role}_token to what the model knows.`,
        cost: 1,
      },
    ],
  };
}

/** Whether a difference of ids has an effect, and no harmless reading. */
function isFault(
  release: Release,
  role: TokenRole,
  told: {
    readonly text: string;
    readonly ids: readonly number[];
    readonly isGenerationTold: boolean;
  },
): boolean {
  const special = new Set(toldTokens(release).map(({ token }) => token.id));
  const isSpecialId = told.ids.some((id) => special.has(id));
  switch (role) {
    case "eos":
      // Another special token may end what another kind of use makes, unless generation is told of all that end.
      return !isSpecialId || told.isGenerationTold || endsTurns(release, told.text);
    case "bos":
      // The id in the settings is used only where a text has no beginning.
      return !isSpecialId && addsToken(release, told.text);
    case "pad":
      return !isSpecialId;
    case "unk":
      return false;
  }
}

function endsTurns(release: Release, text: string): boolean {
  return release.templates.some(
    ({ part }) => part.text.includes("eos_token") || part.text.includes(text),
  );
}

function addsToken(release: Release, text: string): boolean {
  return (
    release.tokenizerConfig?.part.values["add_bos_token"] === true ||
    tokensAround(release.tokenizer?.part.postProcessor).includes(text)
  );
}

/** A GGUF file names ids of its own list of tokens. */
function judgeGguf(release: Release, role: TokenRole): FindingParts | undefined {
  const [weights] = release.tensors;
  const { tokenizer } = release;
  if (weights?.part.form !== "gguf" || tokenizer?.part.form !== "gguf") return undefined;
  const ggufRole = { bos: "bos", eos: "eos", pad: "padding", unk: "unknown" }[role];
  const setting = `tokenizer.ggml.${ggufRole}_token_id`;
  const id = weights.part.metadata[setting];
  const idMax = tokenizer.part.vocabularyIdMax ?? -1;
  // Converters write the highest number of 32 bits where there is none.
  if (typeof id !== "number" || id < 0 || id >= 2 ** 31) return undefined;
  if (id <= idMax) return role === "eos" ? ordinaryEnd(release, tokenizer, id) : undefined;
  return {
    verdict: "violated",
    subject: { kind: "special-token", name: `${release.name}: ${role}_token` },
    causeKind: "identity",
    title: `The ${roleWords[role]} of ${release.name} is ${id}, and its tokens end at ${idMax}.`,
    actual: `${setting} is ${id}.`,
    measures: { tokenId: id, tokenIdMax: idMax },
    evidence: [
      partReference(release, weights, `${setting}: ${id}`),
      partReference(release, tokenizer, `ids up to ${idMax}`),
    ],
    fixes: [{ description: "Convert the model again with the tokenizer of its release.", cost: 1 }],
  };
}

/** A text ends at a token that is a piece of text, where the file says of its tokens which are not. */
function ordinaryEnd(
  release: Release,
  tokenizer: Placed<ModelTokenizer>,
  id: number,
): FindingParts | undefined {
  const { tokens } = tokenizer.part;
  // Of a list that was cut, nobody can tell what is not in it.
  if (tokens.length >= modelLimits.tokenCountMax) return undefined;
  const special = tokens.filter(({ isSpecial }) => isSpecial === true);
  const end = tokens.find((token) => token.id === id);
  const isSetApart = end !== undefined && (end.isSpecial === true || /^[<[]./.test(end.text));
  if (special.length === 0 || isSetApart) return undefined;
  const names = special.slice(0, 4).map((token) => `${token.text} (${token.id})`);
  return {
    verdict: "violated",
    subject: { kind: "special-token", name: `${release.name}: eos_token` },
    causeKind: "identity",
    title: `The ${roleWords.eos} of ${release.name} is ${id}, which is a piece of text.`,
    actual: `Its tokens that are no text are ${names.join(", ")}${special.length > names.length ? " and others" : ""}.`,
    measures: { tokenId: id },
    evidence: [partReference(release, tokenizer, `token ${id} is no control token`)],
    fixes: [{ description: "Convert the model again with the tokenizer of its release.", cost: 1 }],
  };
}
