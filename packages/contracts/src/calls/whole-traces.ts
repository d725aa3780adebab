/** The contract `calls/whole-traces`: traces show every service that a request passed through. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { groupBy } from "./group-by.ts";
import { type LostContext, lostContexts } from "./lost-context.ts";
import { type Link, type Place, serviceLinksOf } from "./service-links.ts";
import { millis } from "./waits.ts";

interface Options {
  readonly lostCountMin: number;
  readonly skewMillisMax: number;
  readonly longerMillisMin: number;
}

/** Spans that one finding quotes. */
const placesQuotedMax = 24;

export const wholeTraces: Contract = defineContract<Options>({
  id: "calls/whole-traces",
  version: 1,
  boundary: "service-service",
  promise:
    "A trace holds the span of every service that a request passed through, below the call that brought it.",
  reads: ["trace"],
  options: {
    lostCountMin: {
      default: 2,
      description:
        "Requests that begin a trace of their own inside another service's call from which on a lost context is proved: a count.",
    },
    skewMillisMax: {
      default: 50,
      description: "Milliseconds by which two machines' clocks may differ.",
    },
    longerMillisMin: {
      default: 200,
      description:
        "Milliseconds by which a callee's span must exceed its call before the call's end is doubted.",
    },
  },
  check(snapshot, options, found) {
    const traces = tracesInOrder(snapshot);
    const { links, orphans, unended, unanswered } = serviceLinksOf(traces, {
      skewMicrosMax: options.skewMillisMax * 1_000,
      longerMicrosMin: options.longerMillisMin * 1_000,
    });
    const unlinked = [...links.flatMap((link) => link.unlinked), ...unanswered];
    const lost = unlinked.length === 0 ? [] : lostContexts(traces, unlinked, links);
    const edges = groupBy(
      [
        ...links.map((link) => ({ name: nameOf(link), link, lost: undefined })),
        ...lost.map((context) => ({ name: nameOf(context), link: undefined, lost: context })),
      ],
      ({ name }) => name,
    ).flatMap((group) => {
      const contexts = group.flatMap((item) => item.lost ?? []);
      const [link] = group.flatMap((item) => item.link ?? []);
      return judgeEdge(link, contexts, options) ?? [];
    });
    return [...edges, ...judgeServices(orphans, unended)].map((parts) => found(parts));
  },
});

function nameOf({ caller, callee }: { caller: string; callee: string }): string {
  return `${caller} → ${callee}`;
}

function judgeEdge(
  link: Link | undefined,
  lost: readonly LostContext[],
  options: Options,
): FindingParts | undefined {
  const [context] = lost;
  if (context !== undefined) return judgeLost(context, lost, options);
  if (link === undefined) return undefined;
  const name = nameOf(link);
  const subject = { kind: "edge", name };
  const doubts = doubtsOf(link);
  const measures = {
    callCount: link.linkedCount + link.unlinked.length,
    callCountUnlinked: link.unlinked.length,
    clockSkewMillisMax: millis(link.earlyMicrosMax),
  };
  if (doubts.length === 0) {
    if (link.linkedCount === 0) return undefined;
    return {
      verdict: "holds",
      subject,
      title: `Every call of ${name} has the callee's span below it`,
      actual: `${plural(link.linkedCount, "call")}, each with the callee's span.`,
      measures,
      evidence: referencesOf([link.example]),
    };
  }
  return {
    verdict: "inconclusive",
    subject,
    title: `${name}: ${doubts.map(({ words }) => words).join("; ")}`,
    actual: `${doubts.map(({ words }) => words).join("; ")}.`,
    measures,
    evidence: referencesOf(doubts.flatMap(({ places }) => places)),
    missing: doubts.map(({ missing }) => missing),
    nextChecks: doubts.map(({ nextCheck }) => nextCheck),
  };
}

interface Doubt {
  readonly words: string;
  readonly missing: string;
  readonly nextCheck: string;
  readonly places: readonly Place[];
}

function doubtsOf(link: Link): Doubt[] {
  const { unlinked, early, longer, linkedCount, callee, caller } = link;
  const doubts: Doubt[] = [];
  if (unlinked.length > 0) {
    doubts.push({
      words: `${unlinked.length} of ${plural(linkedCount + unlinked.length, "answered call")} ${unlinked.length === 1 ? "has" : "have"} no span of ${callee}`,
      missing: `The spans of ${callee} for these calls: they were sampled away, lost on the way, or began another trace.`,
      nextCheck: `Check that ${caller} sends \`traceparent\` with this call, that ${callee} reads it, and that both sample by the parent's decision.`,
      places: unlinked,
    });
  }
  if (early.length > 0) {
    doubts.push({
      words: `${plural(early.length, "span")} of ${callee} began up to ${millis(link.earlyMicrosMax)} ms before ${early.length === 1 ? "its call" : "their calls"}`,
      missing: `Clocks that agree: times of ${caller} and ${callee} cannot be compared.`,
      nextCheck: `Compare the clocks of the machines of ${caller} and ${callee}.`,
      places: early,
    });
  }
  if (longer.length > 0) {
    doubts.push({
      words: `${plural(longer.length, "span")} of ${callee} took longer than ${longer.length === 1 ? "the call that it" : "the calls that they"} served`,
      missing: `Whether ${caller} waited for all of the answer: its span ends before the callee's does.`,
      nextCheck: `Look whether ${caller} ends its span at the answer's headers, or does not wait for the answer.`,
      places: longer,
    });
  }
  return doubts;
}

function judgeLost(
  first: LostContext,
  lost: readonly LostContext[],
  options: Options,
): FindingParts {
  const { caller, callee } = first;
  const name = nameOf(first);
  const pairs = lost.flatMap((context) => context.pairs);
  const isProved = pairs.length >= options.lostCountMin && lost.every(({ isAlways }) => isAlways);
  const words = `${plural(pairs.length, "request")} of ${callee} began a trace of their own inside a call of ${caller} for the same thing`;
  const base = {
    subject: { kind: "edge", name },
    title: `${name} loses the trace's context: ${words}`,
    actual: `${words}; no call of ${caller} has a span of ${callee} below it.`,
    measures: { callCountLost: pairs.length },
    evidence: referencesOf(pairs.flatMap(({ call, root }) => [root, call])),
    nextChecks: [
      `Record one request after the repair: the span of ${callee} must have that of ${caller} as its parent.`,
    ],
  };
  if (!isProved) {
    return {
      ...base,
      verdict: "inconclusive",
      title: `${name} may lose the trace's context: ${words}`,
      missing: [
        `At least ${options.lostCountMin} requests of ${callee}, all of them inside calls of ${caller}: these may have come from somebody else.`,
      ],
    };
  }
  return {
    ...base,
    verdict: "violated",
    causeKind: "configuration",
    fixes: [
      {
        description: `Let ${caller} write the trace's context (\`traceparent\`) into this call, by the instrumentation of its client or by hand.`,
        cost: 1,
      },
      {
        description: `Let ${callee}, and every proxy before it, read and keep \`traceparent\`; both sides must use one format (W3C, B3 or Jaeger).`,
        cost: 2,
      },
    ],
  };
}

function judgeServices(orphans: readonly Place[], unended: readonly Place[]): FindingParts[] {
  const serviceOf = ({ trace, index }: Place): string => trace.span(index).service;
  return [
    ...groupBy(orphans, serviceOf).map((places): FindingParts => {
      const service = places[0] === undefined ? "" : serviceOf(places[0]);
      const parents = new Set(
        places.map(({ trace, index }) => `${trace.traceId}\n${trace.span(index).parentSpanId}`),
      );
      const name = places.length === 1 ? "names" : "name";
      return {
        verdict: "inconclusive",
        subject: { kind: "service", name: service },
        title: `${plural(places.length, "span")} of ${service} ${name} ${plural(parents.size, "parent")} that the trace does not have`,
        actual: `${plural(parents.size, "named parent")} missing above ${plural(places.length, "span")}.`,
        measures: { orphanCount: places.length, missingParentCount: parents.size },
        evidence: referencesOf(places),
        missing: [`The spans above those of ${service}: who made the calls, and in what order.`],
        nextChecks: [
          "Look for spans that were dropped: the limits and queues of exporters and collectors, services that sample by themselves, and pieces of the trace that are stored elsewhere.",
        ],
      };
    }),
    ...groupBy(unended, serviceOf).map((places): FindingParts => {
      const service = places[0] === undefined ? "" : serviceOf(places[0]);
      return {
        verdict: "inconclusive",
        subject: { kind: "service", name: `${service} span ends` },
        title: `${plural(places.length, "span")} of ${service} ${places.length === 1 ? "has" : "have"} no end although spans below went on`,
        actual: `${plural(places.length, "span")} without a length.`,
        measures: { unendedCount: places.length },
        evidence: referencesOf(places),
        missing: [`The end of ${places.length === 1 ? "this span" : "these spans"} of ${service}.`],
        nextChecks: [
          `Look for paths of ${service} that leave without ending the span, and for processes that were killed.`,
        ],
      };
    }),
  ];
}

function referencesOf(places: readonly Place[]) {
  return places
    .slice(0, placesQuotedMax)
    .map(({ trace, index }) =>
      trace.reference(index, `${trace.span(index).service} ${trace.span(index).name}`),
    );
}
