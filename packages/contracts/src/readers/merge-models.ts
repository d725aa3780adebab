/** Joins the files of one folder into one model. */

import { isFields } from "../model/fields.ts";
import type { EvidenceSource } from "../model/evidence.ts";
import type { ModelPart, ModelToken } from "../model/model-release.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";
import type { SnapshotPart } from "../snapshot/create-snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { type FromFile, mergeSources } from "./merge-evidence.ts";
import type { ModelFile } from "./models/model-file.ts";

/** Folders that hold one side of a model; the other side lies beside them. */
const sideFolder = /^(?:tokenizer|model|weights|checkpoint|hf)$/i;
const partCountMax = 2_000;

/** Models as evidence, one for each folder, so that the order of files does not matter. */
export function mergeModels(files: readonly FromFile<ModelFile>[]): SnapshotPart[] {
  const folders = Map.groupBy(files, ({ source }) => folderOf(source.name));
  const names = namesOf([...folders.keys()]);
  return [...folders].map(([folder, group]) => {
    const modelFiles = group.flatMap(({ items }) => items);
    const named = namedTexts(modelFiles.flatMap(({ parts }) => parts));
    const parts = modelFiles
      .flatMap((file) => file.parts.map((part) => withNamed(part, file, named)))
      .map((part) => ({ part, key: `${part.file}\n${part.kind}\n${canonicalJson(part)}` }))
      .sort((left, right) => compareText(left.key, right.key))
      .filter(({ key }, index, sorted) => key !== sorted[index - 1]?.key)
      .slice(0, partCountMax)
      .map(({ part }) => part);
    const sources: EvidenceSource[] = group.map(({ source }) => source);
    return {
      source: mergeSources(sources),
      content: { kind: "model-release", name: names.get(folder) ?? "model", parts },
    };
  });
}

function folderOf(path: string): string {
  const segments = path
    .split("/")
    .slice(0, -1)
    .filter((segment) => segment !== "" && segment !== ".");
  if (segments.length > 1 && sideFolder.test(segments.at(-1) ?? "")) segments.pop();
  return segments.join("/");
}

/** The last segments of each folder that tell it from the others. */
function namesOf(folders: readonly string[]): Map<string, string> {
  const nameAt = (folder: string, count: number): string =>
    folder.split("/").slice(-count).join("/");
  return new Map(
    folders.map((folder) => {
      let count = 1;
      const isShared = (): boolean =>
        folders.some((other) => other !== folder && nameAt(other, count) === nameAt(folder, count));
      while (count < folder.split("/").length && isShared()) count += 1;
      const name = nameAt(folder, count);
      return [folder, name === "" ? "model" : name.slice(-256)];
    }),
  );
}

/** Texts that settings call the token for something. */
function namedTexts(parts: readonly ModelPart[]): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const part of parts) {
    if (part.kind !== "settings") continue;
    for (const [name, value] of Object.entries(part.values)) {
      if (!/_tokens?$/.test(name)) continue;
      const items: unknown[] = Array.isArray(value) ? value : [value];
      for (const item of items) {
        const text = isFields(item) ? item["content"] : item;
        if (typeof text === "string" && text.length <= 512) texts.add(text);
      }
    }
  }
  return texts;
}

/** A tokenizer with the ids of the tokens that the other files name. */
function withNamed(part: ModelPart, file: ModelFile, named: ReadonlySet<string>): ModelPart {
  const { vocabulary } = file;
  if (part.kind !== "tokenizer" || vocabulary === undefined) return part;
  const known = new Set(part.tokens.map(({ text }) => text));
  const more: ModelToken[] = [];
  for (const text of named) {
    const id = vocabulary.get(text);
    if (id !== undefined && !known.has(text)) more.push({ text, id });
  }
  if (more.length === 0) return part;
  return { ...part, tokens: [...part.tokens, ...more].sort((left, right) => left.id - right.id) };
}
