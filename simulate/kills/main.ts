/**
 * Kills processes of a real installation under load at named points, and holds the books against what was served.
 *
 *     npm run kills                              50 rounds
 *     npm run kills -- --rounds 10 --seed 7      10 rounds of another order
 */

import { parseArgs } from "node:util";

import { points } from "./points.ts";
import { planRounds, type RoundResult, runKills } from "./run-kills.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "2" },
    clients: { type: "string", default: "10" },
  },
});
const numbers = [values.rounds, values.seed, values.workers, values.clients].map(Number);
if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 1)) {
  process.stderr.write("Rounds, seed, workers and clients are whole numbers from 1 on.\n");
  process.exit(64);
}
const [roundCount = 50, seed = 1, workerCount = 2, clientCount = 10] = numbers;

const columns = { number: 5, point: 26, victim: 8, openCount: 10, backMs: 8 } as const;
write(
  [
    "round".padStart(columns.number),
    "point".padEnd(columns.point),
    "killed".padEnd(columns.victim),
    "under way".padStart(columns.openCount),
    "back ms".padStart(columns.backMs),
    "books",
  ].join("  "),
);
const result = await runKills({
  seed,
  rounds: planRounds(roundCount, seed),
  workerCount,
  clientCount,
  onRound: (round) => write(lineOf(round)),
});
const { calls, charges } = result;
const broken = [...result.rounds.flatMap((round) => round.broken), ...result.broken];
write(`
${hits(result.rounds)}
${calls.answered} calls were answered whole, ${calls.left} were left by their callers, ${calls.refused} were refused for want of credit, ${calls.unavailable} could not be served, ${calls.broken} broke off.
The provider saw ${charges.requestCount} requests; ${charges.chargedCount} were charged: ${charges.exactCount} with what a whole answer costs, ${charges.boundCount} with all that was held because their worker died under them, of which ${charges.unaskedCount} had not been asked yet.`);
for (const sentence of broken) write(`BROKEN: ${sentence}`);
write(
  broken.length === 0
    ? `${result.rounds.length} kills: nothing overspent, nothing lost, nothing charged twice.`
    : `${broken.length} things are wrong.`,
);
process.exit(broken.length === 0 ? 0 : 1);

function lineOf({ number, point, victim, openCount, backMs, broken: wrong }: RoundResult): string {
  return [
    String(number).padStart(columns.number),
    point.padEnd(columns.point),
    victim.padEnd(columns.victim),
    String(openCount).padStart(columns.openCount),
    String(Math.round(backMs)).padStart(columns.backMs),
    wrong.length === 0 ? "agree" : wrong.join("; "),
  ].join("  ");
}

function hits(rounds: readonly RoundResult[]): string {
  return Object.keys(points)
    .map((point) => `${point}: ${rounds.filter((round) => round.point === point).length}`)
    .join(", ");
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
