/** Which tools are declared, by whom and since when, and which tools requests carry. */

import type { ToolDefinition } from "../../model/evidence.ts";
import { isFields } from "../../model/fields.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../../model/snapshot.ts";
import { advertisedBy, concernsModels } from "../../readers/transcript/span-messages.ts";
import { readTools } from "../../readers/transcript/tools.ts";
import { canonicalJson } from "../../snapshot/canonical-json.ts";
import { mark } from "../../traces/marks.ts";
import { type Trace, tracesOf } from "../../traces/trace.ts";
import { bundleHashOf } from "../bundles/bundle-hash.ts";

/** Where something is quoted from. The id of evidence is read when it is quoted, as it may have to be computed. */
export interface Place {
  readonly evidence: { readonly id: string };
  readonly locator: string;
}

/** A set of tools as it was declared at one time. */
export interface ToolList {
  readonly tools: readonly ToolDefinition[];
  /** From when on it holds; absent when nobody says. */
  readonly fromMicros: number | undefined;
  readonly place: Place;
}

/** The tools of a bundle, which every request under its hash carries. */
export interface BundleTools extends ToolList {
  readonly name: string;
  readonly hash: string;
}

/** The tools that one request carried. */
export interface CarriedTools {
  readonly tools: readonly ToolDefinition[];
  readonly isPartial: boolean;
  readonly bundleHash: string | undefined;
  readonly startMicros: number | undefined;
  /** When the conversation or trace began. */
  readonly begunMicros: number | undefined;
  readonly place: Place;
}

/** Requests that are looked at; of equal ones under one bundle or in one trace, the first. */
const carriedCountMax = 5_000;
const spanCountMax = 200_000;

export function bundleToolsOf(snapshot: Snapshot): readonly BundleTools[] {
  return evidenceOfKind(snapshot, "bundle").flatMap((evidence) => {
    const { name, version, document, timeMicros } = evidence.content;
    const list = document["tools"];
    if (!Array.isArray(list) || list.length === 0) return [];
    return [
      {
        name: version === undefined ? name : `${name}@${version}`,
        hash: bundleHashOf(evidence.content),
        tools: readTools(list).tools,
        fromMicros: timeMicros,
        place: { evidence, locator: "/document/tools" },
      },
    ];
  });
}

/** Lists of tools that stand by themselves, or in the log of a server; in the order of time. */
export function declaredListsOf(snapshot: Snapshot): readonly (readonly ToolList[])[] {
  return evidenceOfKind(snapshot, "transcript").flatMap((evidence) => {
    if (!isDeclaration(evidence)) return [];
    const lists: ToolList[] = [];
    let last = "";
    for (const { tools, areToolsPartial, timeMicros, pointer } of evidence.content.turns) {
      if (tools === undefined || areToolsPartial === true) continue;
      const text = canonicalJson(tools);
      if (text === last) continue;
      last = text;
      lists.push({ tools, fromMicros: timeMicros, place: { evidence, locator: pointer } });
    }
    return lists.length === 0 ? [] : [lists];
  });
}

/** Nobody speaks in it: it is a list of tools, or what went in and out of a server of tools. */
function isDeclaration({ content }: EvidenceOf<"transcript">): boolean {
  return content.turns.every(
    ({ text, calls }) =>
      text === undefined && calls.every((call) => call.executedArguments !== undefined),
  );
}

/** What requests carry, and which bundles they were made under, whether they tell of tools or not. */
export interface Requests {
  readonly carried: readonly CarriedTools[];
  readonly bundleHashes: ReadonlySet<string>;
}

/** The tools of requests: of spans of calls of models, and of turns of conversations. */
export function requestsOf(snapshot: Snapshot): Requests {
  const bundleHashes = new Set<string>();
  const carried = carriedBySpans(snapshot, bundleHashes);
  return {
    carried: [...carried, ...carriedByTurns(snapshot)].slice(0, carriedCountMax),
    bundleHashes,
  };
}

function carriedBySpans(snapshot: Snapshot, bundleHashes: Set<string>): CarriedTools[] {
  const carried: CarriedTools[] = [];
  const seen = new Set<string>();
  const memory = new Map<string, ReturnType<typeof readTools>>();
  let spanCount = 0;
  for (const trace of tracesOf(snapshot)) {
    if (!trace.hasMarks(mark.genAi)) continue;
    for (let index = 0; index < trace.spans.length; index += 1) {
      if ((trace.marksOf(index) & mark.genAi) === 0) continue;
      spanCount += 1;
      if (spanCount > spanCountMax || carried.length >= carriedCountMax) return carried;
      const hash = trace.span(index).attributes["faultline.bundle.hash"];
      if (typeof hash === "string" && bundleHashes.size < carriedCountMax) bundleHashes.add(hash);
      const found = carriedBySpan(trace, index, memory);
      if (found === undefined) continue;
      const key = `${found.bundleHash ?? trace.traceId}\n${found.text}`;
      if (seen.has(key)) continue;
      seen.add(key);
      carried.push(found);
    }
  }
  return carried;
}

function carriedBySpan(
  trace: Trace,
  index: number,
  memory: Map<string, ReturnType<typeof readTools>>,
): (CarriedTools & { readonly text: string }) | undefined {
  const span = trace.span(index);
  if (!concernsModels(span)) return undefined;
  const list = advertisedBy(span);
  if (list === undefined) return undefined;
  const text = canonicalJson(list);
  const known = memory.get(text) ?? readTools(list);
  memory.set(text, known);
  const hash = span.attributes["faultline.bundle.hash"];
  return {
    text,
    tools: known.tools,
    isPartial: known.unreadCount > 0,
    bundleHash: typeof hash === "string" ? hash : undefined,
    startMicros: span.startMicros,
    begunMicros: trace.span(0).startMicros,
    place: {
      evidence: {
        get id() {
          return trace.evidenceIdOf(index);
        },
      },
      locator: span.spanId,
    },
  };
}

function carriedByTurns(snapshot: Snapshot): CarriedTools[] {
  return evidenceOfKind(snapshot, "transcript").flatMap((evidence) => {
    if (isDeclaration(evidence)) return [];
    const { turns } = evidence.content;
    let last: readonly ToolDefinition[] | undefined;
    return turns.flatMap(({ tools, areToolsPartial, timeMicros, pointer }): CarriedTools[] => {
      if (tools === undefined || tools === last) return [];
      last = tools;
      return [
        {
          tools,
          isPartial: areToolsPartial === true,
          bundleHash: undefined,
          startMicros: timeMicros,
          begunMicros: turns[0]?.timeMicros,
          place: { evidence, locator: pointer },
        },
      ];
    });
  });
}

/** Whether there is anything that declares tools; a cheap look before requests are read. */
export function hasDeclarations(snapshot: Snapshot): boolean {
  return snapshot.evidence.some(
    ({ content }) =>
      content.kind === "transcript" ||
      (content.kind === "bundle" &&
        isFields(content.document) &&
        content.document["tools"] !== undefined),
  );
}
