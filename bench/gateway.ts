/**
 * What the gateway costs: CPU per request and added latency, beside a bare `node:http` proxy, beside a bare relay of
 * undici, and beside another gateway where that is installed. Rounds of all targets are interleaved, so that a busy
 * machine disturbs all alike; the ratios are taken within each round.
 */

import { createHash } from "node:crypto";

import type { BenchFigure, BenchOptions, BenchResult } from "./bench.ts";
import { figureOfRounds } from "./figure-of-rounds.ts";
import { applyLoad, type ReplyKind } from "./gateway-load.ts";
import {
  hasPeer,
  installPeer,
  pinLoad,
  pinned,
  startPeer,
  startRole,
  type Target,
} from "./gateway-target.ts";

interface Plan {
  readonly rounds: number;
  readonly requests: Readonly<Record<ReplyKind, number>>;
  readonly latencyRequests: number;
}

const smallPlan: Plan = { rounds: 3, requests: { json: 600, sse: 200 }, latencyRequests: 60 };
const largePlan: Plan = {
  rounds: 9,
  requests: { json: 8_000, sse: 3_000 },
  latencyRequests: 1_000,
};
const concurrency = 64;
const latencyConcurrency = 4;
const kinds: readonly ReplyKind[] = ["json", "sse"];
const kindNames: Readonly<Record<ReplyKind, string>> = { json: "JSON", sse: "SSE of 20 events" };
const floorName = "proxy";

interface Sample {
  readonly cpuMs: number;
  readonly cpuMsOfAll: number;
  readonly ratePerSecond: number;
  readonly firstByteMs: number;
}

/** Samples by target and kind, one for each round. */
type Samples = Map<string, Sample[]>;

export async function run({ small, peers }: BenchOptions): Promise<BenchResult> {
  const plan = small ? smallPlan : largePlan;
  if (peers && !hasPeer()) installPeer();
  const unpin = pinLoad();
  try {
    await using stack = new AsyncDisposableStack();
    const upstream = stack.use(await startRole("upstream"));
    const targets = [upstream];
    for (const role of ["proxy", "relay", "faultline"] as const) {
      targets.push(stack.use(await startRole(role, upstream.port)));
    }
    if (hasPeer()) targets.push(stack.use(await startPeer(upstream.port)));
    const hash = createHash("sha256");
    const samples: Samples = new Map();
    // The first round warms up and is not counted.
    for (let round = -1; round < plan.rounds; round += 1) {
      for (const kind of kinds) {
        for (const target of rotate(targets, round)) {
          const { sample, contentHash } = await measure(target, kind, plan);
          hash.update(`${kind} ${contentHash}\n`);
          const id = `${target.name} ${kind}`;
          if (round >= 0) samples.set(id, [...(samples.get(id) ?? []), sample]);
        }
      }
    }
    return {
      name: "gateway",
      figures: [...figures(targets, samples), ...memoryFigures(targets)],
      resultHash: hash.digest("hex"),
      notes: notes(targets),
    };
  } finally {
    unpin();
  }
}

async function measure(
  target: Target,
  kind: ReplyKind,
  plan: Plan,
): Promise<{ sample: Sample; contentHash: string }> {
  const requestCount = plan.requests[kind];
  const before = target.cpuMs();
  const loaded = await applyLoad(target, kind, { requestCount, concurrency });
  const after = target.cpuMs();
  const calm = await applyLoad(target, kind, {
    requestCount: plan.latencyRequests,
    concurrency: latencyConcurrency,
  });
  return {
    sample: {
      cpuMs: (after.carrier - before.carrier) / requestCount,
      cpuMsOfAll: (after.all - before.all) / requestCount,
      ratePerSecond: (requestCount / loaded.elapsedMs) * 1_000,
      firstByteMs: calm.firstByteMs[Math.floor(calm.firstByteMs.length / 2)] ?? 0,
    },
    contentHash: loaded.contentHash,
  };
}

/** Another order in each round, so that nobody always runs after the same neighbour. */
function rotate(targets: readonly Target[], round: number): Target[] {
  const by = (round + targets.length) % targets.length;
  return [...targets.slice(by), ...targets.slice(0, by)];
}

function figures(targets: readonly Target[], samples: Samples): BenchFigure[] {
  return kinds.flatMap((kind) => {
    const of = (target: Target): Sample[] => samples.get(`${target.name} ${kind}`) ?? [];
    const direct = samples.get(`upstream ${kind}`) ?? [];
    const floor = samples.get(`${floorName} ${kind}`) ?? [];
    const measured = targets.filter(({ name }) => name !== "upstream");
    return measured.flatMap((target): BenchFigure[] => {
      const own = of(target);
      const name = `${kindNames[kind]}, ${target.name}`;
      const ratios = own.map((sample, round) => sample.cpuMs / (floor[round]?.cpuMs ?? Number.NaN));
      const added = own.map(
        (sample, round) => sample.firstByteMs - (direct[round]?.firstByteMs ?? 0),
      );
      const rows = [
        figureOfRounds(
          `${name}: CPU per request`,
          "ms",
          own.map((sample) => sample.cpuMs),
        ),
        ...(target.name === floorName
          ? []
          : [figureOfRounds(`${name}: CPU against the bare proxy`, "times", ratios)]),
        figureOfRounds(
          `${name}: requests`,
          "per second",
          own.map((sample) => sample.ratePerSecond),
        ),
        figureOfRounds(`${name}: added latency to the first byte`, "ms (median)", added),
      ];
      if (target.name === "faultline") {
        rows.push(
          figureOfRounds(
            `${name}: CPU per request with its supervisor`,
            "ms",
            own.map((sample) => sample.cpuMsOfAll),
          ),
        );
      }
      return rows;
    });
  });
}

function memoryFigures(targets: readonly Target[]): BenchFigure[] {
  return targets
    .filter(({ name }) => name !== "upstream")
    .map((target) => ({ name: `memory, ${target.name}`, value: target.memoryMb(), unit: "MB" }));
}

function notes(targets: readonly Target[]): string[] {
  const load = `${concurrency} connections for CPU and rate, ${latencyConcurrency} for latency, against the simulated provider.`;
  return [
    load,
    pinned
      ? "The measured process has a core; load and provider share another."
      : "Not pinned: there is no taskset, or only one core.",
    "Faultline runs with keys, prices, spans and metrics on.",
    ...(targets.some(({ name }) => name === "portkey")
      ? []
      : ["No peer beside it: npm run bench -- gateway --peers installs one."]),
  ];
}
