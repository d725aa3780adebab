/** Whether weights have the shapes that the settings of the model name. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { Fields } from "../model/fields.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { ModelTensor, ModelTensors } from "../model/model-release.ts";
import { embeddingRows } from "./embedding.ts";
import {
  partReference,
  type Placed,
  type Release,
  settingReference,
  textSettings,
} from "./release.ts";

/** What was compared, and what did not fit. */
export interface Comparison {
  readonly faults: readonly FindingParts[];
  readonly checkedCount: number;
  readonly evidence: readonly EvidenceReference[];
}

/** A size that settings imply for the rows of one tensor. */
interface Expectation {
  readonly tensorName: RegExp;
  /** The setting that it comes from. */
  readonly setting: string;
  readonly rowCount: number;
  readonly words: string;
}

/** Packed kinds of numbers have other shapes than the settings name. */
const plainNumbers = /^(?:F16|BF16|F32|F64|F8_\w+)$/;
/** Families whose projections have the sizes that the settings name, one by one. */
const plainFamilies = new Set(["llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2"]);

/** Compares the width of the embedding and the projections of the first layer with the settings. */
export function judgeShapes(release: Release): Comparison {
  const { config } = release;
  if (config === undefined) return { faults: [], checkedCount: 0, evidence: [] };
  const width = judgeWidth(release);
  const rows = expectationsOf(config.part.values).flatMap((expectation) => {
    const found = tensorOf(release, expectation.tensorName);
    return found === undefined ? [] : [judgeRows(release, expectation, found)];
  });
  return {
    faults: [...width.faults, ...rows.flatMap((fault) => fault ?? [])],
    checkedCount: width.checkedCount + rows.length,
    evidence: width.evidence,
  };
}

/** The width of the embedding is one of the widths that the settings name. */
function judgeWidth(release: Release): Comparison {
  const embedding = embeddingRows(release);
  const columnCount = embedding?.tensor.shape[1];
  const widths = textSettings(release.config).flatMap(widthsOf);
  const { config } = release;
  const isPlain = embedding !== undefined && plainNumbers.test(embedding.tensor.dtype);
  if (!isPlain || config === undefined || columnCount === undefined || widths.length === 0) {
    return { faults: [], checkedCount: 0, evidence: [] };
  }
  const shape = `${embedding.tensor.name} has the shape [${embedding.tensor.shape.join(", ")}]`;
  const reference = partReference(release, embedding.placed, shape);
  if (widths.some(([, width]) => width === columnCount)) {
    return { faults: [], checkedCount: 1, evidence: [reference] };
  }
  const told = widths.map(([name, width]) => `${name} ${width}`).join(", ");
  const fault: FindingParts = {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `The embedding of ${release.name} is ${columnCount} wide, and its settings name ${told}.`,
    actual: `${shape}.`,
    measures: { columnCount },
    evidence: [reference, partReference(release, config, told)],
    fixes: [oneReleaseFix],
  };
  return { faults: [fault], checkedCount: 1, evidence: [] };
}

/** What repairs files of several releases. */
export const oneReleaseFix = {
  description: "Take config.json and the weights from one release.",
  cost: 1,
};

function widthsOf(settings: Fields): [string, number][] {
  const hasWidth = ["hidden_size", "d_model", "n_embd"].some(
    (name) => typeof settings[name] === "number",
  );
  if (!hasWidth) return [];
  return Object.entries(settings).filter(
    (entry): entry is [string, number] =>
      typeof entry[1] === "number" &&
      /^(?:hidden_size|d_model|n_embd)$|embed|emb_|dim$/.test(entry[0]),
  );
}

function expectationsOf(settings: Fields): Expectation[] {
  const type = settings["model_type"];
  const heads = settings["num_attention_heads"];
  const hidden = settings["hidden_size"];
  if (typeof type !== "string" || !plainFamilies.has(type)) return [];
  if (typeof heads !== "number" || typeof hidden !== "number" || heads <= 0) return [];
  const headWidth =
    typeof settings["head_dim"] === "number" ? settings["head_dim"] : hidden / heads;
  const sharedHeads = settings["num_key_value_heads"] ?? heads;
  const inner = settings["intermediate_size"];
  const projections: Expectation[] = [
    {
      tensorName: /^model\.layers\.0\.self_attn\.q_proj\.weight$/,
      setting: "num_attention_heads",
      rowCount: heads * headWidth,
      words: `${heads} heads of ${headWidth}`,
    },
  ];
  if (typeof sharedHeads === "number") {
    projections.push({
      tensorName: /^model\.layers\.0\.self_attn\.k_proj\.weight$/,
      setting: "num_key_value_heads",
      rowCount: sharedHeads * headWidth,
      words: `${sharedHeads} heads of keys of ${headWidth}`,
    });
  }
  if (typeof inner === "number") {
    projections.push({
      tensorName: /^model\.layers\.0\.mlp\.gate_proj\.weight$/,
      setting: "intermediate_size",
      rowCount: inner,
      words: `an inner size of ${inner}`,
    });
  }
  return projections;
}

interface FoundTensor {
  readonly tensor: ModelTensor;
  readonly placed: Placed<ModelTensors>;
}

function tensorOf(release: Release, name: RegExp): FoundTensor | undefined {
  for (const placed of release.tensors) {
    const tensor = placed.part.tensors.find(
      (item) => name.test(item.name) && item.shape.length === 2 && plainNumbers.test(item.dtype),
    );
    if (tensor !== undefined) return { tensor, placed };
  }
  return undefined;
}

function judgeRows(
  release: Release,
  expectation: Expectation,
  { tensor, placed }: FoundTensor,
): FindingParts | undefined {
  const [rowCount] = tensor.shape;
  const { config } = release;
  if (rowCount === expectation.rowCount || rowCount === undefined || config === undefined)
    return undefined;
  const shape = `${tensor.name} has the shape [${tensor.shape.join(", ")}]`;
  return {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `In ${release.name}, ${tensor.name} has ${rowCount} rows, and the settings name ${expectation.words}.`,
    actual: `${shape}; ${expectation.rowCount} rows follow from ${expectation.setting}.`,
    measures: { rowCount, rowCountExpected: expectation.rowCount },
    evidence: [
      partReference(release, placed, shape),
      settingReference(release, config, expectation.setting),
    ],
    fixes: [oneReleaseFix],
  };
}
