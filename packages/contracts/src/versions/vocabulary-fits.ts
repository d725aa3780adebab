/** A model has a row for every token that its tokenizer can give it. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";
import { configuredSizes, embeddingRows, headRows } from "./embedding.ts";
import { partReference, type Release, releasesOf, settingReference } from "./release.ts";
import { type ToldToken, toldTokens } from "./token-table.ts";

export const vocabularyFits: Contract = defineContract({
  id: "versions/vocabulary-fits",
  version: 2,
  boundary: "model-tokenizer",
  promise:
    "The model has a row of its embedding, and of its output, for every token that its tokenizer can give it.",
  reads: ["model-release"],
  options: {},
  check(snapshot, _options, found) {
    return releasesOf(snapshot).flatMap((release) => {
      const parts = judge(release);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

/** How many rows there are, and what says so. */
interface Rows {
  readonly count: number;
  readonly words: string;
  readonly reference: EvidenceReference;
}

/** Tokens for images and sound: text-only members of a family keep them in their tokenizer, and never see them. */
const otherInput = /image|img|vision|visual|video|audio|speech|sound/i;
/** Text-only members have at most this many of them beyond their rows. */
const otherInputCountMax = 16;

function judge(release: Release): FindingParts | undefined {
  const rows = rowsOf(release);
  const subject = { kind: "model", name: release.name };
  const { tokenizer } = release;
  const told = toldTokens(release);
  if (tokenizer === undefined && told.length === 0) return undefined;
  if (rows === undefined) {
    if (release.tokenizer === undefined || release.config === undefined) return undefined;
    return {
      verdict: "inconclusive",
      subject,
      title: `How many rows the embedding of ${release.name} has is not known.`,
      actual: "Neither the settings of the model nor a header of weights says it.",
      missing: ["vocab_size in config.json, or the header of the file that holds the embedding"],
    };
  }
  return (
    judgeConfigured(release) ??
    judgeVocabulary(release, rows) ??
    judgeGguf(release) ??
    judgeShift(release) ??
    judgeAdded(release, rows, told) ??
    judgeHead(release) ??
    healthy(release, rows, told)
  );
}

function rowsOf(release: Release): Rows | undefined {
  const embedding = embeddingRows(release);
  if (embedding !== undefined) {
    const { tensor, placed, rowCount } = embedding;
    const words = `${tensor.name} has the shape [${tensor.shape.join(", ")}]`;
    return { count: rowCount, words, reference: partReference(release, placed, words) };
  }
  const sizes = configuredSizes(release);
  if (sizes.length === 0 || release.config === undefined) return undefined;
  const count = Math.max(...sizes);
  const reference = partReference(release, release.config, `"vocab_size": ${count}`);
  return { count, words: `vocab_size is ${count}`, reference };
}

/** Weights with fewer rows than the settings say cannot be loaded with them. */
function judgeConfigured(release: Release): FindingParts | undefined {
  const embedding = embeddingRows(release);
  const sizes = configuredSizes(release);
  if (embedding === undefined || release.config === undefined || sizes.length === 0)
    return undefined;
  const sizeMin = Math.min(...sizes);
  if (embedding.rowCount >= sizeMin) return undefined;
  const shape = `${embedding.tensor.name} has the shape [${embedding.tensor.shape.join(", ")}]`;
  return {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `The settings of ${release.name} name ${sizeMin} tokens, and its weights have ${embedding.rowCount} rows.`,
    actual: `${shape}, and vocab_size is ${sizeMin}.`,
    measures: { rowCount: embedding.rowCount, vocabularySizeConfigured: sizeMin },
    evidence: [
      partReference(release, embedding.placed, shape),
      settingReference(release, release.config, "vocab_size"),
    ],
    fixes: [{ description: "Take config.json and the weights from one release.", cost: 1 }],
  };
}

function judgeVocabulary(release: Release, rows: Rows): FindingParts | undefined {
  const { tokenizer } = release;
  const idMax = tokenizer?.part.vocabularyIdMax;
  if (tokenizer === undefined || idMax === undefined || idMax < rows.count) return undefined;
  const last = tokenizer.part.vocabularyLastToken ?? "";
  const isOtherInput = otherInput.test(last) && idMax - rows.count < otherInputCountMax;
  const quote = `token ${JSON.stringify(last)} has the id ${idMax}`;
  return {
    verdict: isOtherInput ? "inconclusive" : "violated",
    subject: { kind: "model", name: release.name },
    causeKind: isOtherInput ? "none" : "identity",
    title: `The tokenizer of ${release.name} gives ids up to ${idMax}, and the model has ${rows.count} rows.`,
    actual: `In ${tokenizer.part.file} the ${quote}; ${rows.words}.`,
    measures: {
      rowCount: rows.count,
      tokenIdMax: idMax,
      vocabularySize: tokenizer.part.vocabularySize,
    },
    evidence: [partReference(release, tokenizer, quote), rows.reference],
    missing: isOtherInput ? ["whether this model is ever given images or sound"] : [],
    fixes: [
      { description: "Serve the model with the tokenizer that it was trained with.", cost: 1 },
    ],
  };
}

/** What loads a GGUF file takes as many rows as it lists tokens, and no others. */
function judgeGguf(release: Release): FindingParts | undefined {
  const embedding = embeddingRows(release);
  const { tokenizer } = release;
  const idMax = tokenizer?.part.vocabularyIdMax;
  if (tokenizer?.part.form !== "gguf" || embedding === undefined || idMax === undefined)
    return undefined;
  const { rowCount, tensor, placed } = embedding;
  if (rowCount <= idMax + 1) return undefined;
  const shape = `${tensor.name} has the shape [${tensor.shape.join(", ")}]`;
  return {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `${release.name} lists ${idMax + 1} tokens, and its weights have ${rowCount} rows.`,
    actual: `${shape}; the last token it lists has the id ${idMax}.`,
    measures: { rowCount, tokenIdMax: idMax },
    evidence: [
      partReference(release, placed, shape),
      partReference(release, tokenizer, `ids up to ${idMax}`),
    ],
    fixes: [{ description: "Convert the model again with the tokenizer of its release.", cost: 1 }],
  };
}

/** Families whose tokenizers have the ids of their SentencePiece model; others move them. */
const sameIds = /^(?:Llama|CodeLlama|Gemma|Mistral)Tokenizer(?:Fast)?$/;

/** One vocabulary in two forms, of which one has each token further on. */
function judgeShift(release: Release): FindingParts | undefined {
  const { tokenizer, sentencepiece, tokenizerConfig } = release;
  const kind = tokenizerConfig?.part.values["tokenizer_class"];
  if (tokenizer?.part.form !== "tokenizers" || sentencepiece === undefined) return undefined;
  if (typeof kind !== "string" || !sameIds.test(kind)) return undefined;
  const [idMax, other] = [tokenizer.part.vocabularyIdMax, sentencepiece.part.vocabularyIdMax];
  const last = tokenizer.part.vocabularyLastToken;
  if (last !== sentencepiece.part.vocabularyLastToken || idMax === other) return undefined;
  if (last === undefined || idMax === undefined || other === undefined) return undefined;
  const text = JSON.stringify(last);
  return {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `${tokenizer.part.file} of ${release.name} gives ${text} the id ${idMax}, and ${sentencepiece.part.file} ${other}.`,
    actual: `Both are the vocabulary of a ${kind}, in which they are the same.`,
    measures: { tokenIdMax: idMax, tokenIdMaxElsewhere: other },
    evidence: [
      partReference(release, tokenizer, `${text}: ${idMax}`),
      partReference(release, sentencepiece, `${text}: ${other}`),
    ],
    fixes: [{ description: "Take all files of the tokenizer from one release.", cost: 1 }],
  };
}

function judgeAdded(
  release: Release,
  rows: Rows,
  told: readonly ToldToken[],
): FindingParts | undefined {
  const beyond = distinctByText(told.filter(({ token }) => token.id >= rows.count));
  const [first] = beyond;
  if (first === undefined) return undefined;
  const isOtherInput =
    beyond.length <= otherInputCountMax && beyond.every(({ token }) => otherInput.test(token.text));
  const names = beyond.slice(0, 8).map(({ token }) => `${token.text} (${token.id})`);
  const words = `${plural(beyond.length, "token")} beyond its ${rows.count} rows`;
  return {
    verdict: isOtherInput ? "inconclusive" : "violated",
    subject: { kind: "model", name: release.name },
    causeKind: isOtherInput ? "none" : "identity",
    title: `${release.name} has ${words}: ${names.join(", ")}.`,
    actual: `${first.placed.part.file} gives ${JSON.stringify(first.token.text)} the id ${first.token.id}; ${rows.words}.`,
    measures: {
      rowCount: rows.count,
      tokenIdMax: Math.max(...beyond.map(({ token }) => token.id)),
      tokenCountBeyond: beyond.length,
    },
    evidence: [
      ...beyond
        .slice(0, 8)
        .map(({ token, placed }) =>
          partReference(release, placed, `${JSON.stringify(token.text)}: ${token.id}`),
        ),
      rows.reference,
    ],
    missing: isOtherInput ? ["whether this model is ever given images or sound"] : [],
    fixes: [
      {
        description:
          "Resize the embedding and the output to the tokenizer, and train the new rows.",
        cost: 2,
      },
      { description: "Use a token that the model has, such as one that is reserved.", cost: 1 },
    ],
    nextChecks: ["Compare len(tokenizer) with model.get_input_embeddings().num_embeddings."],
  };
}

function distinctByText(tokens: readonly ToldToken[]): ToldToken[] {
  return [...new Map(tokens.map((told) => [told.token.text, told])).values()];
}

/** The output may lack rows of added tokens, which the model is given and never gives. */
function judgeHead(release: Release): FindingParts | undefined {
  const head = headRows(release);
  const { tokenizer } = release;
  const idMax = tokenizer?.part.vocabularyIdMax;
  if (head === undefined || tokenizer === undefined || idMax === undefined) return undefined;
  if (idMax < head.rowCount) return undefined;
  const last = JSON.stringify(tokenizer.part.vocabularyLastToken ?? "");
  const shape = `${head.tensor.name} has the shape [${head.tensor.shape.join(", ")}]`;
  return {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `${release.name} can give out ${head.rowCount} tokens, and its vocabulary has ids up to ${idMax}.`,
    actual: `${shape}; ${tokenizer.part.file} gives ${last} the id ${idMax}.`,
    measures: { headRowCount: head.rowCount, tokenIdMax: idMax },
    evidence: [
      partReference(release, head.placed, shape),
      partReference(release, tokenizer, `token ${last} has the id ${idMax}`),
    ],
    fixes: [{ description: "Take the output layer and the tokenizer from one release.", cost: 1 }],
  };
}

function healthy(
  release: Release,
  rows: Rows,
  told: readonly ToldToken[],
): FindingParts | undefined {
  const { tokenizer } = release;
  if (tokenizer === undefined) return undefined;
  const ids = told.map(({ token }) => token.id);
  const idMax = ids.reduce((most, id) => Math.max(most, id), tokenizer.part.vocabularyIdMax ?? -1);
  return {
    verdict: "holds",
    subject: { kind: "model", name: release.name },
    title: `Every token of ${release.name} has its row: ids go up to ${idMax}, rows are ${rows.count}.`,
    actual: `${rows.words}; the highest id is ${idMax}.`,
    measures: { rowCount: rows.count, tokenIdMax: idMax, rowCountSpare: rows.count - idMax - 1 },
    evidence: [rows.reference],
  };
}
