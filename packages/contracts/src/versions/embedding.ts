/** The rows that a model has for tokens: where it takes them in, and where it gives them out. */

import type { ModelTensor, ModelTensors } from "../model/model-release.ts";
import { isFields } from "../model/fields.ts";
import { type Placed, type Release, textSettings } from "./release.ts";

/** A matrix with a row for each token. */
export interface TokenRows {
  readonly rowCount: number;
  readonly tensor: ModelTensor;
  readonly placed: Placed<ModelTensors>;
}

const embeddingName =
  /(?:^|\.)(?:embed_tokens|wte|word_embeddings|embed_in|tok_embeddings|token_embd|word_embedding|shared)\.weight$/;
const headName = /(?:^|\.)(?:lm_head|embed_out|output)\.weight$/;
/** Towers of other kinds of input have embeddings of their own. */
const otherTower =
  /(?:^|\.)(?:vision|visual|audio|speech|image|video|codec|depth|mtp|talker|code_predictor)/;

/** The embedding of tokens: of several the largest, so that nothing is said wrongly of a model with more than one. */
export function embeddingRows(release: Release): TokenRows | undefined {
  return largest(rowsNamed(release, embeddingName));
}

/** What gives out tokens; absent where the embedding is used for both. */
export function headRows(release: Release): TokenRows | undefined {
  return largest(rowsNamed(release, headName));
}

function rowsNamed(release: Release, name: RegExp): TokenRows[] {
  return release.tensors.flatMap((placed) =>
    placed.part.tensors.flatMap((tensor) => {
      const [rowCount, columnCount] = tensor.shape;
      const isMatrix = tensor.shape.length === 2 && (columnCount ?? 0) > 1;
      if (rowCount === undefined || !isMatrix || !name.test(tensor.name)) return [];
      return otherTower.test(tensor.name) ? [] : [{ rowCount, tensor, placed }];
    }),
  );
}

function largest(rows: readonly TokenRows[]): TokenRows | undefined {
  return rows.toSorted((left, right) => right.rowCount - left.rowCount)[0];
}

/** Sizes of the vocabulary that the settings of the model name. */
export function configuredSizes(release: Release): readonly number[] {
  return textSettings(release.config)
    .filter(isFields)
    .map((settings) => settings["vocab_size"])
    .filter((size) => typeof size === "number" && Number.isSafeInteger(size) && size > 0)
    .map(Number);
}
