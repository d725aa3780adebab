/** The files of one model agree on its special tokens. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { judgeRole } from "./judge-role.ts";
import { postProcessorFaults } from "./post-processor.ts";
import { partReference, type Release, releasesOf } from "./release.ts";
import { toldTokens } from "./token-table.ts";

export const specialTokens: Contract = defineContract({
  id: "versions/special-tokens",
  version: 2,
  boundary: "model-tokenizer",
  promise:
    "The settings of a model, of generation and of its tokenizer give every special token one id, and each text begins with its first token once.",
  reads: ["model-release"],
  options: {},
  check(snapshot, _options, found) {
    return releasesOf(snapshot).flatMap((release) => judge(release).map(found));
  },
});

const roles = ["bos", "eos", "pad", "unk"] as const;

function judge(release: Release): FindingParts[] {
  if (release.tokenizer === undefined && release.declared.length === 0) return [];
  const faults = [
    ...clashes(release),
    ...postProcessorFaults(release),
    ...roles.flatMap((role) => judgeRole(release, role) ?? []),
  ];
  if (faults.length > 0) return faults;
  const files = [
    release.config,
    release.generation,
    release.tokenizerConfig,
    release.specialTokens,
  ];
  const known = files.filter((file) => file !== undefined);
  if (known.length === 0) return [];
  return [
    {
      verdict: "holds",
      subject: { kind: "model", name: release.name },
      title: `The files of ${release.name} agree on its special tokens.`,
      actual: `${known.map(({ part }) => part.file).join(", ")} name no token that the tokenizer has otherwise.`,
      measures: { fileCount: known.length },
      evidence: known.map((file) => partReference(release, file, "agrees with the tokenizer")),
    },
  ];
}

/** One text with two ids, or one id with two texts, in two lists of the same model. */
function clashes(release: Release): FindingParts[] {
  const told = toldTokens(release).filter(
    // Families that convert a model of SentencePiece move its ids.
    ({ placed }) => placed.part.form !== "sentencepiece" && placed.part.form !== "tiktoken",
  );
  const byText = new Map(told.map((item) => [item.token.text, item]));
  const byId = new Map(told.map((item) => [item.token.id, item]));
  const found = new Map<string, FindingParts>();
  for (const item of told) {
    for (const other of [byText.get(item.token.text), byId.get(item.token.id)]) {
      if (other === undefined || other.placed.index === item.placed.index) continue;
      const { token } = item;
      if (other.token.text === token.text && other.token.id === token.id) continue;
      const text = JSON.stringify(token.text);
      const otherText = JSON.stringify(other.token.text);
      const key = [token.id, other.token.id].toSorted((left, right) => left - right).join(" ");
      if (found.has(key) || found.size === clashCountMax) continue;
      found.set(key, {
        verdict: "violated",
        subject: { kind: "special-token", name: `${release.name}: ${token.text}` },
        causeKind: "identity",
        title: `${item.placed.part.file} has ${text} at ${token.id}, and ${other.placed.part.file} has ${otherText} at ${other.token.id}.`,
        actual: "Two files of one model give a token different ids, or an id different tokens.",
        measures: { tokenId: token.id, tokenIdElsewhere: other.token.id },
        evidence: [
          partReference(release, item.placed, `${text}: ${token.id}`),
          partReference(release, other.placed, `${otherText}: ${other.token.id}`),
        ],
        fixes: [{ description: "Take all files of the tokenizer from one release.", cost: 1 }],
      });
    }
  }
  return [...found.values()];
}

const clashCountMax = 8;
