/** Whether layers, shards, quantisation and merges are those of one release. */

import { isFields } from "../model/fields.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { partReference, type Release, settingReference } from "./release.ts";
import { type Comparison, oneReleaseFix } from "./shapes-fit.ts";

const layerName = /^(?:model\.layers|gpt_neox\.layers|transformer\.h)\.(\d{1,5})\./;

/** Holds the number of layers in the weights against the settings, where all names of weights are known. */
export function countLayers(release: Release): Comparison {
  const nothing: Comparison = { faults: [], checkedCount: 0, evidence: [] };
  const { config } = release;
  const setting = ["num_hidden_layers", "n_layer"].find(
    (name) => typeof config?.part.values[name] === "number",
  );
  const named = namedWeights(release);
  if (config === undefined || setting === undefined || named === undefined) return nothing;
  if (!/ForCausalLM|LMHeadModel/.test(JSON.stringify(config.part.values["architectures"] ?? "")))
    return nothing;
  const configured = Number(config.part.values[setting]);
  // Layers that predict further tokens come behind the others, in some releases.
  const further = Number(config.part.values["num_nextn_predict_layers"] ?? 0);
  let layerCount = 0;
  for (const name of named.names) {
    layerCount = Math.max(layerCount, Number(layerName.exec(name)?.[1] ?? -1) + 1);
  }
  if (layerCount === 0) return nothing;
  const words = `layers 0 to ${layerCount - 1}`;
  const reference = partReference(release, named.placed, words);
  if (layerCount >= configured && layerCount <= configured + further) {
    return { faults: [], checkedCount: 1, evidence: [reference] };
  }
  const fault: FindingParts = {
    verdict: "violated",
    subject: { kind: "model", name: release.name },
    causeKind: "identity",
    title: `The weights of ${release.name} have ${layerCount} layers, and its settings name ${configured}.`,
    actual: `${named.placed.part.file} names ${words}.`,
    measures: { layerCount, layerCountConfigured: configured },
    evidence: [reference, settingReference(release, config, setting)],
    fixes: [oneReleaseFix],
  };
  return { faults: [fault], checkedCount: 1, evidence: [] };
}

interface NamedWeights {
  readonly names: readonly string[];
  readonly placed: Release["indexes"][number] | Release["tensors"][number];
}

/** The names of all weights: of an index, or of the one file that has them all. */
function namedWeights(release: Release): NamedWeights | undefined {
  const [index] = release.indexes;
  if (index !== undefined) return { names: Object.keys(index.part.weights), placed: index };
  const whole = release.tensors.find(({ part }) => part.file === "model.safetensors");
  return whole === undefined
    ? undefined
    : { names: whole.part.tensors.map(({ name }) => name), placed: whole };
}

/** A file of weights that lacks a tensor which the index says is in it. */
export function shardFault(release: Release): FindingParts[] {
  return release.indexes.flatMap((index) => {
    for (const placed of release.tensors) {
      const present = new Set(placed.part.tensors.map(({ name }) => name));
      const absent = Object.entries(index.part.weights)
        .filter(([name, file]) => file === placed.part.file && !present.has(name))
        .map(([name]) => name)
        .toSorted();
      const [first] = absent;
      if (first === undefined) continue;
      const fault: FindingParts = {
        verdict: "violated",
        subject: { kind: "model", name: release.name },
        causeKind: "identity",
        title: `${placed.part.file} of ${release.name} lacks ${first}, which the index says is in it.`,
        actual: `${absent.length} tensors of ${index.part.file} are not in ${placed.part.file}.`,
        measures: { tensorCountAbsent: absent.length },
        evidence: [
          partReference(release, index, `"${first}": "${placed.part.file}"`),
          partReference(release, placed, `${present.size} tensors without ${first}`),
        ],
        fixes: [
          { description: "Take the index and all files of weights from one release.", cost: 1 },
        ],
      };
      return [fault];
    }
    return [];
  });
}

/** Settings that name packed weights, and weights that are not. */
export function quantisationFault(release: Release): FindingParts[] {
  const { config } = release;
  const settings = config?.part.values["quantization_config"];
  const method = isFields(settings) ? settings["quant_method"] : undefined;
  if (config === undefined || (method !== "gptq" && method !== "awq")) return [];
  const all = release.tensors.flatMap(({ part }) => part.tensors);
  const plain = all.find(
    ({ name, dtype }) =>
      /^model\.layers\.\d+\.self_attn\.q_proj\.weight$/.test(name) && /^(?:B?F16|F32)$/.test(dtype),
  );
  const placed = release.tensors.find(({ part }) =>
    part.tensors.some(({ name }) => name === plain?.name),
  );
  if (
    plain === undefined ||
    placed === undefined ||
    all.some(({ name }) => name.endsWith("qweight"))
  )
    return [];
  return [
    {
      verdict: "violated",
      subject: { kind: "model", name: release.name },
      causeKind: "identity",
      title: `The settings of ${release.name} name weights packed by ${method}, and its weights are ${plain.dtype}.`,
      actual: `${plain.name} is ${plain.dtype}, and no tensor is packed.`,
      evidence: [
        settingReference(release, config, "quantization_config"),
        partReference(release, placed, `${plain.name}: ${plain.dtype}`),
      ],
      fixes: [oneReleaseFix],
    },
  ];
}

/** Merges that make or take tokens which the vocabulary does not have. */
export function mergeFault(release: Release): FindingParts[] {
  const { tokenizer } = release;
  const count = tokenizer?.part.foreignMergeCount ?? 0;
  if (tokenizer === undefined || count === 0) return [];
  const merge = JSON.stringify(tokenizer.part.foreignMerge ?? "");
  return [
    {
      verdict: "violated",
      boundary: "model-tokenizer",
      subject: { kind: "model", name: release.name },
      causeKind: "identity",
      title: `${count} merges of ${release.name} are of another vocabulary, such as ${merge}.`,
      actual: `${tokenizer.part.file} merges ${merge}, of which a part or the product is no token.`,
      measures: { foreignMergeCount: count },
      evidence: [partReference(release, tokenizer, `merge ${merge}`)],
      fixes: [{ description: "Take vocabulary and merges from one release.", cost: 1 }],
    },
  ];
}
