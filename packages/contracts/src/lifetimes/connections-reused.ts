/** Connections are opened once and used for many requests. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { compareText } from "../text/compare-text.ts";
import { type CountedConnections, countedConnectionsOf } from "./connection-counters.ts";
import { playPool, type PoolPlay } from "./connection-pool.ts";
import { type ConnectionUses, connectionUsesOf, openingReference } from "./connection-uses.ts";
import { percent } from "../text/number-words.ts";

/** What can be set, with its default. */
const options = {
  useCountMin: {
    default: 20,
    description:
      "Uses of a peer in traces for which a connection was idle that must be there to judge them.",
  },
  idleSecondsMax: {
    default: 2,
    description:
      "Seconds after its last use for which a connection counts as idle; the shortest usual limit of servers is five.",
  },
  openShareMin: {
    default: 0.9,
    description:
      "Share of the uses for which a new connection was opened although one was idle from which on none is kept, from 0 to 1.",
  },
  openShareMax: {
    default: 0.2,
    description: "Share up to which connections count as kept, from 0 to 1.",
  },
  countedUseCountMin: {
    default: 300,
    description: "Uses that counters must have counted to be judged.",
  },
  usesPerSecondMin: {
    default: 1,
    description: "Uses in a second from which on counters over time are judged.",
  },
};

interface Options {
  readonly useCountMin: number;
  readonly idleSecondsMax: number;
  readonly openShareMin: number;
  readonly openShareMax: number;
  readonly countedUseCountMin: number;
  readonly usesPerSecondMin: number;
}

export const connectionsReused: Contract = defineContract({
  id: "lifetimes/connections-reused",
  version: 1,
  boundary: "client-server",
  promise: "Connections are opened once and used for many requests.",
  reads: ["trace", "metrics"],
  options,
  check(snapshot, settings: Options, found) {
    const traced = ofTraces(connectionUsesOf(snapshot), settings);
    const counted = countedConnectionsOf(snapshot).flatMap((one) => ofCounters(one, settings));
    return [...traced, ...counted].map(found);
  },
});

/** The processes of one service do the same: they are played apart and judged together. */
function ofTraces(all: readonly ConnectionUses[], settings: Options): FindingParts[] {
  const bySubject = Map.groupBy(all, ({ service, peer }) => `${service} → ${peer}`);
  return [...bySubject]
    .sort(([left], [right]) => compareText(left, right))
    .flatMap(([name, processes]) => {
      const plays = processes.map(({ uses }) => playPool(uses, settings.idleSecondsMax));
      const play = {
        reusableCount: plays.reduce((sum, { reusableCount }) => sum + reusableCount, 0),
        avoidable: plays.flatMap(({ avoidable }) => avoidable),
      };
      return judgeTraced({ name, processes, play }, settings);
    });
}

interface Traced {
  readonly name: string;
  readonly processes: readonly ConnectionUses[];
  readonly play: PoolPlay;
}

/** Spans that one finding points to. */
const quotedCountMax = 5;
const fix =
  "Make one client with a pool when the program starts and share it between requests: a client that is made for each request opens a connection of its own. Read answers to their end, let the pool keep as many idle connections as there are calls at once, and send no Connection: close.";

function judgeTraced({ name, processes, play }: Traced, settings: Options): FindingParts[] {
  const { reusableCount, avoidable } = play;
  const uses = processes.flatMap((process) => process.uses);
  const opened = uses.filter(({ openedBy }) => openedBy !== undefined);
  const share = reusableCount === 0 ? 0 : avoidable.length / reusableCount;
  const common = {
    subject: { kind: "connections", name },
    measures: {
      useCount: uses.length,
      openedCount: opened.length,
      reusableCount,
      avoidableCount: avoidable.length,
      processCount: processes.length,
    },
    evidence: (avoidable.length > 0 ? avoidable : opened)
      .slice(0, quotedCountMax)
      .flatMap(openingReference),
  };
  const actual = `${uses.length} units of work used it, and for ${opened.length} of them a connection was opened. For ${reusableCount} one had been used within the last ${settings.idleSecondsMax} s and was idle; for ${avoidable.length} of those a new one was opened all the same.`;
  if (reusableCount < settings.useCountMin) {
    // A few openings are how every program begins.
    if (opened.length < settings.useCountMin) return [];
    return [
      {
        ...common,
        verdict: "inconclusive",
        title: `${opened.length} connections were opened, and hardly ever was one idle`,
        actual,
        missing: [
          `Traces in which at least ${settings.useCountMin} uses follow one another within ${settings.idleSecondsMax} s.`,
        ],
      },
    ];
  }
  if (share <= settings.openShareMax) {
    return [{ ...common, verdict: "holds", title: "Connections are kept and used again", actual }];
  }
  const isShortLived = processes.some((process) => process.isShortLived);
  if (share < settings.openShareMin || isShortLived) {
    return [
      {
        ...common,
        verdict: "inconclusive",
        title: `New connections are opened for ${percent(share)} of the uses that one was idle for`,
        actual,
        missing: [
          isShortLived
            ? "Whether a process outlives a request here: one that ends with it cannot keep its connections."
            : "The limits of the pool: it may keep fewer idle connections than calls come at once.",
        ],
      },
    ];
  }
  return [
    {
      ...common,
      verdict: "violated",
      causeKind: "change",
      title: `A new connection is opened for nearly every use (${avoidable.length} of ${reusableCount}) although one is idle`,
      actual,
      fixes: [{ description: fix, cost: 1 }],
      nextChecks: ["Look at where the client is made: once, or in the code that serves a request?"],
    },
  ];
}

function ofCounters(counted: CountedConnections, settings: Options): FindingParts[] {
  const { parts, durationSeconds, uses, shareOpenMin, isOfServer } = counted;
  const openedCount = parts.reduce((sum, part) => sum + part.openedCount, 0);
  const usedCount = parts.reduce((sum, part) => sum + part.usedCount, 0);
  if (usedCount < settings.countedUseCountMin) return [];
  if (durationSeconds !== undefined && usedCount < settings.usesPerSecondMin * durationSeconds) {
    return [];
  }
  const isOpened = parts.every((part) => part.openedCount >= shareOpenMin * part.usedCount);
  const share = openedCount / usedCount;
  const common = {
    subject: { kind: "connections", name: counted.name },
    actual: `${Math.round(openedCount)} connections were opened for ${Math.round(usedCount)} ${uses}${durationSeconds === undefined ? " since the process began" : ""}.`,
    measures: { openedCount, usedCount },
    evidence: counted.references,
  };
  if (!isOpened) {
    if (share > settings.openShareMax * shareOpenMin) return [];
    return [{ ...common, verdict: "holds", title: "Connections are kept and used again" }];
  }
  if (isOfServer) {
    return [
      {
        ...common,
        verdict: "inconclusive",
        title: `Clients open a new connection for every few ${uses}`,
        missing: [
          "Which client opens them, and whether its process ends with each request; spans of connecting would show it.",
        ],
      },
    ];
  }
  return [
    {
      ...common,
      verdict: "violated",
      causeKind: "change",
      title: `A new connection is opened for nearly every one of the ${uses}`,
      fixes: [{ description: fix, cost: 1 }],
    },
  ];
}
