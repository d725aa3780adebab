/** A model as its contracts see it: what belongs together, and where in the evidence it stands. */

import type { EvidenceReference } from "../model/evidence.ts";
import { isFields, type Fields } from "../model/fields.ts";
import type {
  ModelIndex,
  ModelPart,
  ModelSettings,
  ModelTemplate,
  ModelTensors,
  ModelTokenizer,
} from "../model/model-release.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";

/** A part and its place among the others. */
export interface Placed<Part extends ModelPart> {
  readonly part: Part;
  readonly index: number;
}

/** A tokenizer with the weights and settings that it is served with. A GGUF file is one of its own. */
export interface Release {
  readonly evidenceId: string;
  readonly name: string;
  readonly config: Placed<ModelSettings> | undefined;
  readonly generation: Placed<ModelSettings> | undefined;
  readonly tokenizerConfig: Placed<ModelSettings> | undefined;
  readonly specialTokens: Placed<ModelSettings> | undefined;
  readonly tokenizer: Placed<ModelTokenizer> | undefined;
  /** The same vocabulary as a model of SentencePiece, where that is there as well. */
  readonly sentencepiece: Placed<ModelTokenizer> | undefined;
  readonly declared: readonly Placed<ModelTokenizer>[];
  readonly tensors: readonly Placed<ModelTensors>[];
  readonly indexes: readonly Placed<ModelIndex>[];
  readonly templates: readonly Placed<ModelTemplate>[];
}

/** The models of a snapshot, by name. */
export function releasesOf(snapshot: Snapshot): Release[] {
  return evidenceOfKind(snapshot, "model-release")
    .flatMap(releasesIn)
    .sort((left, right) => compareText(left.name, right.name));
}

/** Which vocabulary counts where several files hold one: the most complete form first. */
const forms: readonly ModelTokenizer["form"][] = [
  "tokenizers",
  "vocabulary",
  "sentencepiece",
  "tiktoken",
];

function releasesIn({ id, content }: EvidenceOf<"model-release">): Release[] {
  const placed = content.parts.map((part, index) => ({ part, index }));
  const isGguf = ({ part }: Placed<ModelPart>): boolean =>
    part.file.toLowerCase().endsWith(".gguf");
  const files = new Set(placed.filter(isGguf).map(({ part }) => part.file));
  const ofFiles = [...files].map((file) =>
    releaseOf(
      id,
      `${content.name}/${file}`,
      placed.filter(({ part }) => part.file === file),
    ),
  );
  const others = placed.filter((item) => !isGguf(item));
  return others.length === 0 ? ofFiles : [releaseOf(id, content.name, others), ...ofFiles];
}

function releaseOf(
  evidenceId: string,
  name: string,
  placed: readonly Placed<ModelPart>[],
): Release {
  const settings = (of: ModelSettings["of"]): Placed<ModelSettings> | undefined =>
    placedOf(placed, "settings").find(({ part }) => part.of === of);
  const tokenizers = placedOf(placed, "tokenizer");
  const vocabularies = tokenizers.filter(({ part }) => part.form !== "declared");
  const best = [...forms, "gguf"].find((form) =>
    vocabularies.some(({ part }) => part.form === form),
  );
  return {
    evidenceId,
    name,
    config: settings("model"),
    generation: settings("generation"),
    tokenizerConfig: settings("tokenizer"),
    specialTokens: settings("special-tokens"),
    tokenizer: vocabularies.find(({ part }) => part.form === best),
    sentencepiece: vocabularies.find(({ part }) => part.form === "sentencepiece"),
    declared: tokenizers.filter(({ part }) => part.form === "declared"),
    tensors: placedOf(placed, "tensors"),
    indexes: placedOf(placed, "index"),
    templates: placedOf(placed, "template"),
  };
}

function placedOf<Kind extends ModelPart["kind"]>(
  placed: readonly Placed<ModelPart>[],
  kind: Kind,
): Placed<Extract<ModelPart, { kind: Kind }>>[] {
  // The filter proves the narrowing that the type system cannot derive for a type parameter.
  return placed.filter(({ part }) => part.kind === kind) as Placed<
    Extract<ModelPart, { kind: Kind }>
  >[];
}

/** A reference to a setting. */
export function settingReference(
  release: Release,
  { part, index }: Placed<ModelSettings>,
  setting: string,
): EvidenceReference {
  return {
    evidenceId: release.evidenceId,
    locator: `/parts/${index}/values/${setting}`,
    quote: `${part.file}: "${setting}": ${JSON.stringify(part.values[setting]) ?? "absent"}`,
  };
}

/** A reference to a part as a whole, with words of it. */
export function partReference(
  release: Release,
  { part, index }: Placed<ModelPart>,
  quote: string,
): EvidenceReference {
  return {
    evidenceId: release.evidenceId,
    locator: `/parts/${index}`,
    quote: `${part.file}: ${quote}`,
  };
}

/** The settings of the text model, which stand within those of a model of several kinds of input. */
export function textSettings(config: Placed<ModelSettings> | undefined): readonly Fields[] {
  if (config === undefined) return [];
  const { values } = config.part;
  const inner = ["text_config", "llm_config", "language_config"].flatMap((name) => {
    const settings = values[name];
    return isFields(settings) ? [settings] : [];
  });
  return [values, ...inner];
}
