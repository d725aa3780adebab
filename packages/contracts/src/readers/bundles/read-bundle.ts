/** Reads behaviour bundles: as `faultline bundle show` prints them, as the API answers, and as files that are put. */

import { parse } from "yaml";

import type { BundleContent } from "../../model/bundle.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { jsonValuesOf } from "../text.ts";
import { timeOfText } from "../time-text.ts";

const limits = {
  /** Comments and layout may take as much as the bundle itself. */
  textLengthMax: 16_000_000,
  yamlLengthMax: 1_000_000,
  bundleCountMax: 1_000,
  depthMax: 64,
  valueCountMax: 200_000,
} as const;

const printedHead = /^# ([a-z][a-z0-9._-]{0,63})@(\d{1,6}) (sha256:[0-9a-f]{64})\s*$/m;
const targetsInJson = /"targets"\s*:\s*\[\s*\{[^[\]]{0,2048}"model"\s*:/;
const targetsInYaml = /^targets:[ \t]*(?:#.*)?(?:\n[ \t]*(?:#.*)?)*\n[ \t]*-[ \t]/m;

/** Whether a text begins as a bundle does. */
export function recogniseBundle(head: string): boolean {
  if (/^\s*[[{]/.test(head)) {
    return (
      targetsInJson.test(head) ||
      (/"summary"\s*:/.test(head) &&
        /"bundle"\s*:\s*\{/.test(head) &&
        /"hash"\s*:\s*"sha256:/.test(head))
    );
  }
  if (/^(?:apiVersion|kind|scrape_configs|global):/m.test(head)) return false;
  return (
    /^# [a-z][a-z0-9._-]{0,63}@\d{1,6} sha256:/.test(head) ||
    (targetsInYaml.test(head) && /^\s+-?\s*(?:\{\s*)?model:/m.test(head))
  );
}

/** Reads one bundle, or several as a list or one on each line. */
export function readBundles(input: FormatInput): FileContent {
  const text = input.text();
  const contents = /^\s*[[{]/.test(text)
    ? readJson(text, input.name)
    : [readYaml(text, input.name)];
  if (contents.length === 0) throw noBundle();
  return { contents, notes: [] };
}

function readJson(text: string, fileName: string): BundleContent[] {
  if (text.length > limits.textLengthMax) throw tooLarge();
  const values = jsonValuesOf(text).flatMap((value): unknown[] =>
    Array.isArray(value) ? value : [value],
  );
  if (values.length > limits.bundleCountMax) throw tooLarge();
  return values.flatMap((value): BundleContent[] => {
    if (!isFields(value)) return [];
    const { summary, bundle } = value;
    if (isFields(summary) && isFields(bundle)) return [bundleOf(bundle, summary, fileName)];
    return isBundle(value) ? [bundleOf(value, {}, fileName)] : [];
  });
}

function readYaml(text: string, fileName: string): BundleContent {
  if (text.length > limits.yamlLengthMax) throw tooLarge();
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100, logLevel: "silent", merge: false });
  } catch (cause) {
    throw new EvidenceError("The YAML is malformed.", {
      expected: "well-formed YAML",
      where: "line 1, column 1",
      cause,
    });
  }
  if (!isFields(value) || !isBundle(value)) throw noBundle();
  const printed = printedHead.exec(text.slice(0, 512));
  const [, name, version, hash] = printed ?? [];
  return bundleOf(
    value,
    printed === null ? {} : { name, version: Number(version), hash },
    fileName,
  );
}

function isBundle({ targets }: Fields): boolean {
  const first: unknown = Array.isArray(targets) ? targets[0] : undefined;
  return isFields(first) && typeof first["model"] === "string";
}

function bundleOf(document: Fields, summary: Fields, fileName: string): BundleContent {
  checkSize(document);
  const { name, version, hash, createdAt } = summary;
  const timeMicros = typeof createdAt === "string" ? timeOfText(createdAt) : undefined;
  return {
    kind: "bundle",
    name: cutText(typeof name === "string" ? name : fileName.replace(/\.\w+$/, ""), 256),
    ...(typeof version === "number" && Number.isSafeInteger(version) && version >= 1
      ? { version }
      : {}),
    ...(typeof hash === "string" && /^sha256:[0-9a-f]{64}$/.test(hash) ? { hash } : {}),
    ...(timeMicros === undefined || timeMicros < 0 ? {} : { timeMicros }),
    document: { ...document },
  };
}

/** Refuses what no bundle is: documents too deep or of too many values. */
function checkSize(document: Fields): void {
  let count = 0;
  const open: [value: unknown, depth: number][] = [[document, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, depth] = next;
    count += 1;
    if (depth > limits.depthMax || count > limits.valueCountMax) throw tooLarge();
    if (typeof value === "number" && !Number.isFinite(value)) throw noBundle();
    if (typeof value === "object" && value !== null) {
      for (const inner of Object.values(value)) open.push([inner, depth + 1]);
    }
  }
}

function tooLarge(): EvidenceError {
  return new EvidenceError("The bundle is too large, too deep, or one of too many.", {
    expected: `at most ${limits.bundleCountMax} bundles of at most ${limits.valueCountMax} values, ${limits.depthMax} deep`,
  });
}

function noBundle(): EvidenceError {
  return new EvidenceError("This file holds no bundle.", {
    expected: "a document with targets, each of which names a model",
  });
}
