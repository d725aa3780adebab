/** A name and a version stand for one bundle: in every process, and in the store. */

import type { FindingParts } from "../../model/make-finding.ts";
import type { EvidenceOf } from "../../model/snapshot.ts";
import { bundleHashOf, hashOfDocument } from "./bundle-hash.ts";
import type { ServedBundle } from "./served-bundles.ts";

/** Faults of identity, and what is missing to judge it. */
export function identityFindings(
  served: readonly ServedBundle[],
  stored: readonly EvidenceOf<"bundle">[],
): FindingParts[] {
  return [
    ...stored.flatMap(alteredDocument),
    ...[
      ...Map.groupBy(
        served.filter(({ name }) => name !== ""),
        ({ name }) => name,
      ),
    ].flatMap(([name, own]) => judgeName(name, own, stored)),
  ];
}

function judgeName(
  name: string,
  served: readonly ServedBundle[],
  stored: readonly EvidenceOf<"bundle">[],
): FindingParts[] {
  const subject = { kind: "bundle", name };
  const [first, other] = served;
  if (first === undefined) return [];
  if (other !== undefined)
    return isOneTenant(first, other) ? [{ ...twice(name, served), subject }] : [];
  const known = stored.filter(({ content }) => nameOf(content) === name);
  const [record] = known;
  if (record === undefined) {
    const base = name.split("@", 1)[0];
    const hasOthers = stored.some(
      ({ content }) => content.name === base && content.version !== undefined,
    );
    return hasOthers ? [{ ...unknown(name, first), subject }] : [];
  }
  const isSame = known.some(({ content }) => bundleHashOf(content) === first.hash);
  const hash = bundleHashOf(record.content);
  const parts = {
    subject,
    actual: `${first.units.length} calls, ${short(first.hash)}${instanceWords(first)}.`,
    evidence: [{ evidenceId: record.id, quote: hash }, ...referenceOf(first)],
  };
  if (isSame) {
    return [
      {
        ...parts,
        verdict: "holds",
        title: `Calls under ${name} were served under the bundle that is stored.`,
      },
    ];
  }
  return [
    {
      ...parts,
      verdict: "violated",
      causeKind: "identity",
      title: `Calls under ${name} were served under ${short(first.hash)}, and the store has ${short(hash)}.`,
      fixes: [loadAnew],
    },
  ];
}

const loadAnew = { description: "Have every process load the bundle of the store anew.", cost: 1 };

function twice(name: string, served: readonly ServedBundle[]): Omit<FindingParts, "subject"> {
  return {
    verdict: "violated",
    causeKind: "identity",
    title: `${name} is ${served.length} bundles: ${served.map(({ hash }) => short(hash)).join(", ")}.`,
    actual: served
      .map(
        (bundle) => `${short(bundle.hash)} in ${bundle.units.length} calls${instanceWords(bundle)}`,
      )
      .join("; "),
    evidence: served.flatMap(referenceOf),
    fixes: [loadAnew],
  };
}

function unknown(name: string, served: ServedBundle): Omit<FindingParts, "subject"> {
  return {
    verdict: "inconclusive",
    title: `What ${name} is, is not among the evidence.`,
    actual: `${served.units.length} calls were served under it; other versions are there.`,
    evidence: referenceOf(served),
    missing: [`the bundle ${name} (faultline bundle show ${name} --json)`],
  };
}

/** Names belong to a tenant: bundles that no key asks for both of may be those of two. */
function isOneTenant(one: ServedBundle, other: ServedBundle): boolean {
  if (one.keys.size === 0 || other.keys.size === 0) return true;
  return [...one.keys].some((key) => other.keys.has(key));
}

function alteredDocument({ id, content }: EvidenceOf<"bundle">): FindingParts[] {
  if (content.hash === undefined) return [];
  const own = hashOfDocument(content.document);
  if (own === content.hash) return [];
  return [
    {
      verdict: "inconclusive",
      subject: { kind: "bundle", name: nameOf(content) },
      title: `The document of ${nameOf(content)} is not the one that its hash was made of.`,
      actual: `It has ${short(own)} and is said to have ${short(content.hash)}: something was changed or redacted since.`,
      evidence: [{ evidenceId: id, locator: "/document", quote: content.hash }],
      missing: [`the document as it is stored (faultline bundle show ${nameOf(content)} --json)`],
    },
  ];
}

/** `support@3`, or the name of a file that nobody stored. */
export function nameOf({ name, version }: EvidenceOf<"bundle">["content"]): string {
  return version === undefined ? name : `${name}@${version}`;
}

function referenceOf({
  units,
  hash,
}: ServedBundle): NonNullable<FindingParts["evidence"]>[number][] {
  return units
    .slice(0, 1)
    .map(({ trace, index }) => trace.reference(index, `faultline.bundle.hash=${hash}`));
}

const listedCountMax = 5;

function instanceWords({ instances }: ServedBundle): string {
  if (instances.size === 0) return "";
  const listed = [...instances].slice(0, listedCountMax).join(", ");
  return ` by ${listed}${instances.size > listedCountMax ? ` and ${instances.size - listedCountMax} more` : ""}`;
}

function short(hash: string): string {
  return hash.slice(0, 19);
}
