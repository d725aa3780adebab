/** `faultline reservation`: devices for jobs, where they run, and why they wait. */

import type { Reservation } from "@faultline/protocol";

import { type Actions, runAction } from "../actions.ts";
import { type Command, type CommandContext, UsageError } from "../command.ts";
import { remedyWords, waitWords } from "../compute/wait-words.ts";
import {
  connect,
  connectionOptions,
  switchOption,
  textListOption,
  textOption,
} from "../connection.ts";
import { unitsOf } from "../ledger/amount-text.ts";
import { tell } from "../ledger/tell.ts";
import { parseDurationMs } from "../moment.ts";
import { titledTable } from "../table.ts";

const actions: Actions = {
  add,
  list,
  show,
  heartbeat,
  complete,
  withdraw,
};

export const command: Command = {
  summary: "reserve devices for jobs, and see why they wait",
  usage: [
    "reservation add KIND --for DURATION [--devices N] [--members N] [--region NAME]…",
    "reservation list",
    "reservation show ID",
    "reservation heartbeat ID",
    "reservation complete ID",
    "reservation withdraw ID",
  ],
  options: {
    id: {
      type: "string",
      value: "ID",
      description: "id of the reservation; sent again, it is the same",
    },
    for: { type: "string", value: "DURATION", description: "how long the job may run: 2h" },
    devices: { type: "string", value: "N", description: "devices of each member (default: 1)" },
    members: {
      type: "string",
      value: "N",
      description: "members that start together (default: 1)",
    },
    cores: { type: "string", value: "N", description: "processor cores of each member" },
    memory: { type: "string", value: "GB", description: "gigabytes of memory of each member" },
    region: {
      type: "string",
      multiple: true,
      value: "NAME",
      description: "where it may run (repeatable)",
    },
    apart: { type: "boolean", description: "no two members on one node" },
    group: {
      type: "string",
      value: "NAME",
      description: "jobs of the same group never share a node",
    },
    priority: { type: "string", value: "N", description: "0 to 9 (default: 0)" },
    ...connectionOptions,
  },
  notes: [
    "What a job may cost is held when it is admitted, and charged by intervals as it sends heartbeats.",
    "`reservation show` says what a waiting job waits for, and what would let it start.",
  ],
  async run(context) {
    return await runAction(context, actions);
  },
};

async function add(context: CommandContext, words: readonly string[]): Promise<number> {
  const [deviceKind, ...rest] = words;
  if (deviceKind === undefined || rest.length > 0) {
    throw new UsageError("reservation add takes the KIND of the devices.");
  }
  const id = textOption(context, "id");
  const group = textOption(context, "group");
  const regions = textListOption(context, "region");
  const cpuCores = numberOption(context, "cores");
  const memoryGigabytes = numberOption(context, "memory");
  const memberCount = numberOption(context, "members");
  const priority = numberOption(context, "priority");
  const body = {
    deviceKind,
    durationSeconds: readSeconds(context),
    member: {
      deviceCount: numberOption(context, "devices") ?? 1,
      ...(cpuCores === undefined ? {} : { cpuCores }),
      ...(memoryGigabytes === undefined ? {} : { memoryGigabytes }),
    },
    ...(id === undefined ? {} : { id }),
    ...(memberCount === undefined ? {} : { memberCount }),
    ...(regions.length === 0 ? {} : { regions: [...regions] }),
    ...(switchOption(context, "apart") ? { distinctNodes: true } : {}),
    ...(group === undefined ? {} : { antiAffinityGroup: group }),
    ...(priority === undefined ? {} : { priority }),
  };
  const { signal } = context;
  const made = await connect(context).client.reserveCompute({ body }, { signal });
  return tell(context, made, () => describe(made));
}

async function list(context: CommandContext): Promise<number> {
  const { signal, terminal } = context;
  const { reservations } = await connect(context).client.listReservations({}, { signal });
  if (reservations.length === 0)
    return tell(context, { reservations }, () => "Nothing is reserved.");
  const titles = ["ID", "STAGE", "DEVICES", "COST", "NODES", "ENDS"] as const;
  const rows = reservations.map((one) => [
    one.id,
    stageOf(one),
    devicesOf(one),
    unitsOf(one.costMicros),
    nodesOf(one),
    one.endsAt ?? "",
  ]);
  return tell(context, { reservations }, () => titledTable(terminal, titles, rows));
}

async function show(context: CommandContext, words: readonly string[]): Promise<number> {
  const params = { id: onlyId("show", words) };
  const found = await connect(context).client.readReservation(
    { params },
    { signal: context.signal },
  );
  return tell(context, found, () => describe(found));
}

/** Exits with 1 where the work has to stop. */
async function heartbeat(context: CommandContext, words: readonly string[]): Promise<number> {
  const params = { id: onlyId("heartbeat", words) };
  const { client } = connect(context);
  const beat = await client.heartbeatReservation({ params }, { signal: context.signal });
  const verdict = beat.goesOn ? "The work may go on." : "The work has to stop.";
  tell(context, beat, () => `${verdict}\n${describe(beat.reservation)}`);
  return beat.goesOn ? 0 : 1;
}

async function complete(context: CommandContext, words: readonly string[]): Promise<number> {
  const params = { id: onlyId("complete", words) };
  const { client } = connect(context);
  const ended = await client.completeReservation({ params }, { signal: context.signal });
  return tell(context, ended, () => describe(ended));
}

async function withdraw(context: CommandContext, words: readonly string[]): Promise<number> {
  const params = { id: onlyId("withdraw", words) };
  const { client } = connect(context);
  const ended = await client.withdrawReservation({ params }, { signal: context.signal });
  return tell(context, ended, () => describe(ended));
}

function describe(reservation: Reservation): string {
  const { id, wait, endsAt, costMicros } = reservation;
  const lines = [
    `${id}: ${stageOf(reservation)}, ${devicesOf(reservation)}, ${unitsOf(costMicros)} USD`,
  ];
  const nodes = nodesOf(reservation);
  if (nodes !== "") lines.push(`On ${nodes}.`);
  if (endsAt !== undefined) lines.push(`What is reserved is used up at ${endsAt}.`);
  if (wait !== undefined) {
    lines.push(waitWords(wait.binding));
    if (wait.remedies.length > 0) lines.push("It starts after any of these:");
    lines.push(...wait.remedies.map((remedy) => `  - ${remedyWords(remedy)}`));
  }
  return lines.join("\n");
}

function stageOf({ stage, end }: Reservation): string {
  return end ?? stage;
}

function devicesOf({ deviceKind, memberCount, member }: Reservation): string {
  const each = `${member.deviceCount} ${deviceKind}`;
  return memberCount === 1 ? each : `${memberCount} × ${each}`;
}

function nodesOf({ placement }: Reservation): string {
  return placement
    .map(({ nodeId, memberCount }) => (memberCount === 1 ? nodeId : `${nodeId} (${memberCount})`))
    .join(", ");
}

function onlyId(step: string, words: readonly string[]): string {
  const [id, ...rest] = words;
  if (id !== undefined && rest.length === 0) return id;
  throw new UsageError(
    `reservation ${step} takes the ID that \`faultline reservation list\` shows.`,
  );
}

function readSeconds(context: CommandContext): number {
  const text = textOption(context, "for");
  if (text === undefined) throw new UsageError("reservation add needs --for.");
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) return Math.max(1, Math.round(durationMs / 1_000));
  throw new UsageError(`--for takes a duration such as 90s or 2h; '${text}' is none.`);
}

function numberOption(context: CommandContext, name: string): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} takes a whole number; '${text}' is none.`);
}
