/** The tools that are declared are those that requests carry. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference, ToolDefinition } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import {
  bundleToolsOf,
  type BundleTools,
  type CarriedTools,
  declaredListsOf,
  hasDeclarations,
  type Requests,
  requestsOf,
  type ToolList,
} from "./declared/declarations.ts";
import { likenessOf, schemaDifferences } from "./declared/schema-difference.ts";

/** What can be set, with its default. */
const options = {
  staleSecondsMax: {
    default: 300,
    description:
      "Seconds for which a conversation may go on with the tools that were declared before a list changed.",
  },
};

type Settings = { readonly [Name in keyof typeof options]: number };

export const declaredTools: Contract = defineContract({
  id: "versions/declared-tools",
  version: 1,
  boundary: "model-tool",
  promise:
    "Requests carry the tools that their bundle or their server of tools declares, with the same arguments.",
  reads: ["trace", "transcript", "bundle"],
  options,
  check(snapshot, settings, found) {
    if (!hasDeclarations(snapshot)) return [];
    const bundles = bundleToolsOf(snapshot);
    const lists = declaredListsOf(snapshot);
    if (bundles.length === 0 && lists.length === 0) return [];
    const requests = requestsOf(snapshot);
    return [
      ...bundles.flatMap((bundle) => judgeBundle(bundle, requests)),
      ...lists.flatMap((versions) => judgeLists(versions, requests.carried, settings)),
    ].map(found);
  },
});

/** What a request carries otherwise than declared. */
interface Mismatch {
  readonly tool: string;
  readonly words: string;
  readonly evidence: readonly EvidenceReference[];
}

/** The gateway puts the tools of a bundle into every request under it: there, every difference counts. */
function judgeBundle(
  bundle: BundleTools,
  { carried: all, bundleHashes }: Requests,
): FindingParts[] {
  const carried = all.filter(({ bundleHash }) => bundleHash === bundle.hash);
  const name = bundle.name.replace(/@\d+$/, "");
  if (carried.length === 0) return bundleHashes.has(bundle.hash) ? [untold(name, bundle)] : [];
  const mismatches = carried.flatMap((request) =>
    bundle.tools.flatMap((tool): Mismatch[] => {
      const there = request.tools.find(({ name }) => name === tool.name);
      if (there === undefined) {
        if (request.isPartial) return [];
        const near = request.tools.find(
          ({ name: other, inputSchema }) =>
            bundle.tools.every((own) => own.name !== other) &&
            likenessOf(tool.inputSchema, inputSchema) === 1 &&
            tool.inputSchema !== undefined,
        );
        const words =
          near === undefined ? `${tool.name} is missing` : `${tool.name} is called ${near.name}`;
        return [mismatch({ tool, there: near, words }, bundle, request)];
      }
      const [difference] = schemaDifferences(tool.inputSchema, there.inputSchema);
      return difference === undefined
        ? []
        : [mismatch({ tool, there, words: difference.words }, bundle, request)];
    }),
  );
  if (mismatches.length > 0) return violations(name, mismatches, `bundle ${bundle.name}`);
  return [fitting(name, carried.length, bundle)];
}

function untold(name: string, { tools, place }: BundleTools): FindingParts {
  return {
    verdict: "inconclusive",
    subject: { kind: "tools", name },
    title: `No request under the bundle ${name} tells which tools it carried.`,
    actual: `The bundle declares ${tools.length} tools; the spans under its hash record none.`,
    evidence: [{ evidenceId: place.evidence.id, locator: place.locator }],
    missing: ["gen_ai.tool.definitions on spans under the hash of the bundle"],
  };
}

/** Of a list that changes, the one that holds at the time counts, and for a while those before it. */
function judgeLists(
  versions: readonly ToolList[],
  all: readonly CarriedTools[],
  settings: Settings,
): FindingParts[] {
  let comparedCount = 0;
  const mismatches = all.flatMap((request): Mismatch[] => {
    const candidates = inForce(versions, request, settings.staleSecondsMax);
    const [latest] = candidates;
    if (latest === undefined || !isRelated(latest, request)) return [];
    comparedCount += 1;
    const found = candidates.map((list) => listMismatches(list, request));
    // It fits one of the lists that its conversation may have begun with.
    return found.some((list) => list.length === 0) ? [] : (found[0] ?? []);
  });
  const [first] = versions;
  if (comparedCount === 0 || first === undefined) return [];
  const name = nameOfList(first);
  if (mismatches.length > 0) return violations(name, mismatches, "the list of its server");
  return [fitting(name, comparedCount, first)];
}

/** Lists that a request may rightly carry, the latest first. */
function inForce(
  versions: readonly ToolList[],
  { startMicros, begunMicros }: CarriedTools,
  staleSecondsMax: number,
): readonly ToolList[] {
  const isTimed =
    startMicros !== undefined && versions.every(({ fromMicros }) => fromMicros !== undefined);
  if (!isTimed) return versions.toReversed();
  const begun = (begunMicros ?? startMicros) - staleSecondsMax * 1e6;
  const known = versions.filter(({ fromMicros }) => (fromMicros ?? 0) <= startMicros);
  // What was carried before the first list was asked for may be anything that came before it.
  if (known.length === 0) return [];
  return known.filter((_list, at) => (known[at + 1]?.fromMicros ?? Infinity) > begun).toReversed();
}

/** A list belongs to a request when half of its tools are there, and each is alike. */
function isRelated({ tools }: ToolList, request: CarriedTools): boolean {
  const alike = tools.filter((tool) => {
    const there = counterpartOf(tool, request);
    if (there === undefined) return false;
    const text = textLikenessOf(tool.description, there.description);
    // Tools of two applications may have one name and the same arguments, and say of themselves that they do other things.
    if (text !== undefined && text < textLikenessMin) return false;
    return text === 1 || likenessOf(tool.inputSchema, there.inputSchema) >= likenessMin;
  });
  return alike.length >= Math.max(1, tools.length * relatedShareMin);
}

const likenessMin = 0.5;
const textLikenessMin = 0.3;

/** The share of words that two descriptions have in common; nothing where one is not there. */
function textLikenessOf(one: string | undefined, other: string | undefined): number | undefined {
  if (one === undefined || other === undefined) return undefined;
  const [own, others] = [one, other].map(
    (text) => new Set(text.toLowerCase().match(/[\p{L}\d]+/gu)),
  );
  const union = new Set([...(own ?? []), ...(others ?? [])]);
  return union.size === 0
    ? 1
    : [...(own ?? [])].filter((word) => others?.has(word)).length / union.size;
}

const relatedShareMin = 0.5;

/** The tool of the same name, also with the prefix of its server. */
function counterpartOf(
  { name }: ToolDefinition,
  { tools }: CarriedTools,
): ToolDefinition | undefined {
  return (
    tools.find((tool) => tool.name === name) ??
    tools.find((tool) => ["__", ".", "/", ":"].some((mark) => tool.name.endsWith(`${mark}${name}`)))
  );
}

function listMismatches(list: ToolList, request: CarriedTools): Mismatch[] {
  return list.tools.flatMap((tool): Mismatch[] => {
    const there = counterpartOf(tool, request);
    // Applications offer some of a server's tools, and may fill in arguments themselves.
    const difference = schemaDifferences(tool.inputSchema, there?.inputSchema).find(
      ({ isSure }) => isSure,
    );
    return there === undefined || difference === undefined
      ? []
      : [mismatch({ tool, there, words: difference.words }, list, request)];
  });
}

function mismatch(
  {
    tool,
    there,
    words,
  }: {
    readonly tool: ToolDefinition;
    readonly there: ToolDefinition | undefined;
    readonly words: string;
  },
  list: ToolList,
  request: CarriedTools,
): Mismatch {
  const names = request.tools.map(({ name }) => name).join(", ");
  return {
    tool: tool.name,
    words,
    evidence: [
      {
        evidenceId: list.place.evidence.id,
        locator: list.place.locator,
        quote: `declared: ${quoteOf(tool)}`,
      },
      {
        evidenceId: request.place.evidence.id,
        locator: request.place.locator,
        quote: `carried: ${there === undefined ? names : quoteOf(there)}`,
      },
    ],
  };
}

const quoteLengthMax = 900;

function quoteOf({ name, inputSchema }: ToolDefinition): string {
  return `${name} ${JSON.stringify(inputSchema ?? null)}`.slice(0, quoteLengthMax);
}

const findingCountMax = 50;

/** One finding for each tool, with the first request that carries it otherwise. */
function violations(name: string, mismatches: readonly Mismatch[], source: string): FindingParts[] {
  return [...Map.groupBy(mismatches, ({ tool }) => tool)]
    .slice(0, findingCountMax)
    .flatMap(([tool, own]): FindingParts[] => {
      const [first] = own;
      if (first === undefined) return [];
      return [
        {
          verdict: "violated",
          subject: { kind: "tools", name: `${name}: ${tool}` },
          causeKind: "configuration",
          title: `The tool ${tool} is not what ${source} declares: ${first.words}.`,
          actual: `${own.length} forms of requests carry it otherwise: ${[...new Set(own.map(({ words }) => words))].join("; ")}.`,
          measures: { tool, requestFormCount: own.length },
          evidence: first.evidence,
          fixes: [
            {
              description: `Declare ${tool} in one place and let requests take it from there.`,
              cost: 1,
            },
          ],
          nextChecks: [
            "Look whether the application keeps a list of tools from before the last change.",
          ],
        },
      ];
    });
}

function fitting(name: string, comparedCount: number, { tools, place }: ToolList): FindingParts {
  return {
    verdict: "holds",
    subject: { kind: "tools", name },
    title: `Requests carry the ${tools.length} tools of ${name} as they are declared.`,
    actual: `${comparedCount} forms of requests were compared.`,
    measures: { requestFormCount: comparedCount, toolCount: tools.length },
    evidence: [
      {
        evidenceId: place.evidence.id,
        locator: place.locator,
        quote: tools
          .map((tool) => tool.name)
          .join(", ")
          .slice(0, quoteLengthMax),
      },
    ],
  };
}

function nameOfList({ tools }: ToolList): string {
  return tools
    .slice(0, 3)
    .map(({ name }) => name)
    .join(", ");
}
