/** What the figures have to reach, for `npm run bench -- --check`. */

import type { BenchFigure, BenchResult } from "./bench.ts";

interface Goal {
  readonly bench: string;
  readonly figure: RegExp;
  readonly atMost?: number;
  readonly atLeast?: number;
}

const goals: readonly Goal[] = [
  { bench: "contracts", figure: /^checked, from decoded spans$/, atLeast: 150_000 },
  { bench: "contracts", figure: /^OTLP protobuf, file to findings$/, atLeast: 120_000 },
  { bench: "contracts", figure: /^OTLP JSON, file to findings$/, atLeast: 60_000 },
  { bench: "contracts", figure: /(?:spans|findings), memory$/, atMost: 1_000 },
  { bench: "contracts", figure: /\b(?:of )?2\d\d MB, memory$/, atMost: 400 },
  { bench: "contracts", figure: /^packed `check`/, atMost: 5 },
  { bench: "contracts-lifetimes", figure: /, compared in$/, atMost: 5 },
  { bench: "contracts-lifetimes", figure: /, memory$/, atMost: 1_024 },
  { bench: "contracts-populations", figure: /^metrics ranked in$/, atMost: 5 },
  { bench: "contracts-populations", figure: /^spans contrasted in$/, atMost: 10 },
  { bench: "scheduling", figure: /^explained in$/, atMost: 10 },
  { bench: "allocator", figure: /^full pass.*longest$/, atMost: 250 },
  { bench: "allocator", figure: /^one change, p99$/, atMost: 1 },
  { bench: "gateway", figure: /^JSON, faultline: CPU against/, atMost: 1.2 },
  { bench: "gateway", figure: /^SSE .*, faultline: CPU against/, atMost: 1.1 },
  { bench: "gateway", figure: /^JSON, faultline: requests against Portkey$/, atLeast: 8 },
  { bench: "gateway", figure: /^SSE .*, faultline: requests against Portkey$/, atLeast: 3.5 },
  { bench: "gateway", figure: /^replies that a target left/, atMost: 0 },
  { bench: "gateway-latency", figure: /, faultline: added to the first byte, p50$/, atMost: 1 },
  { bench: "gateway-slow-streams", figure: /^streams that broke$/, atMost: 0 },
  { bench: "gateway-idle", figure: /^10,000 idle streams over two workers$/, atMost: 700 },
  { bench: "gateway-idle", figure: /, broken$/, atMost: 0 },
  { bench: "gateway-growth", figure: /^heap kept for each event relayed$/, atMost: 200 },
  { bench: "gateway-growth", figure: /^resident memory, slope over 1,000,000 calls$/, atMost: 20 },
  { bench: "gateway-credit", figure: /: CPU with credit$/, atMost: 1.05 },
  { bench: "journal", figure: /^append, a promise/, atLeast: 200_000 },
  { bench: "journal-store", figure: /opened again$/, atMost: 3_000 },
  { bench: "journal-store", figure: /beside calm$/, atMost: 3 },
  { bench: "ledger-admission", figure: /^admissions of one core$/, atLeast: 2_000_000 },
  { bench: "ledger", figure: /^hold and settle on one account, durable$/, atLeast: 15_000 },
  { bench: "ledger", figure: /^against SELECT … FOR UPDATE$/, atLeast: 20 },
];

/** How a figure stands to its goal; an interval on both sides of it decides nothing. */
export interface Standing {
  readonly figure: BenchFigure;
  readonly goal: string;
  readonly verdict: "reached" | "missed" | "undecided";
}

/** The figures of a result that have goals. */
export function standingsOf(result: BenchResult): Standing[] {
  return goals
    .filter((goal) => goal.bench === result.name)
    .flatMap((goal) =>
      result.figures
        .filter((figure) => goal.figure.test(figure.name))
        .map((figure) => standingOf(figure, goal)),
    );
}

function standingOf(figure: BenchFigure, { atMost, atLeast }: Goal): Standing {
  const [low, high] = figure.interval ?? [figure.value, figure.value];
  const isSurelyBeyond =
    (atMost !== undefined && low > atMost) || (atLeast !== undefined && high < atLeast);
  const isSurelyWithin =
    (atMost === undefined || high <= atMost) && (atLeast === undefined || low >= atLeast);
  return {
    figure,
    goal: atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`,
    verdict: isSurelyBeyond ? "missed" : isSurelyWithin ? "reached" : "undecided",
  };
}
