/** `faultline drill`: small real systems with one planted fault each, and their repair. */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

import { PlatformError } from "@faultline/protocol";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { connect, connectionOptions, switchOption, textOption } from "../connection.ts";
import { type Drill, findDrill, installScript, listDrills } from "../drill/catalog.ts";
import {
  type DrillPlace,
  type DrillState,
  logFile,
  readState,
  startProcess,
  stopProcess,
} from "../drill/process.ts";
import { layoutTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** A drill that is forgotten loses its right to write after a day. */
const keyLifetimeSeconds = 86_400;

export const command: Command = {
  summary: "start, repair and stop a small real system with a planted fault",
  usage: ["drill list", "drill start NAME", "drill repair NAME", "drill stop NAME"],
  options: {
    data: {
      type: "string",
      value: "FOLDER",
      description: "data folder of the platform (default: .faultline)",
    },
    rate: {
      type: "string",
      value: "N",
      description: "requests per second of the load (default: the drill's own)",
    },
    ...connectionOptions,
  },
  async run(context) {
    const [action, name] = context.positionals;
    if (action === "list") return list(context);
    if (action !== "start" && action !== "repair" && action !== "stop") {
      throw new UsageError(`'${action ?? ""}' is none of list, start, repair, stop.`);
    }
    if (name === undefined)
      throw new UsageError(`drill ${action} needs the NAME that 'faultline drill list' shows.`);
    const place: DrillPlace = {
      drill: findDrill(name),
      dataFolder: resolve(
        textOption(context, "data") ?? context.environment.FAULTLINE_DATA ?? ".faultline",
      ),
      clock: context.clock,
      signal: context.signal,
    };
    if (action === "start") return await start(context, place);
    return action === "repair" ? await repair(context, place) : await stop(context, place);
  },
};

function list(context: CommandContext): number {
  const drills = listDrills();
  context.terminal.print(
    switchOption(context, "json")
      ? JSON.stringify(drills, undefined, 2)
      : layoutTable(
          drills.map((drill) => [context.terminal.style("bold", drill.name), drill.summary]),
        ),
  );
  return 0;
}

async function start(context: CommandContext, place: DrillPlace): Promise<number> {
  const running = readState(place);
  if (running !== undefined) {
    throw new PlatformError(
      "conflict",
      `The drill ${place.drill.name} runs already, as process ${running.pid}.`,
      {
        hint: `Stop it with: ${context.terminal.program} drill stop ${place.drill.name}`,
      },
    );
  }
  const state = await startVariant(context, place, "broken");
  report(context, state, [
    runsLine(place.drill, state),
    `The fault: ${place.drill.fault.trim()}`,
    "Give it half a minute of traffic, then open a case:",
    `  ${context.terminal.program} case open "${place.drill.symptom}" --subject service:${place.drill.service} --since 5m`,
  ]);
  return 0;
}

async function repair(context: CommandContext, place: DrillPlace): Promise<number> {
  const running = readState(place);
  if (running === undefined) throw notRunning(place.drill, context.terminal);
  if (running.variant === "repaired") {
    throw new PlatformError("conflict", `The drill ${place.drill.name} is repaired already.`);
  }
  await stopProcess(place, running);
  await revokeKey(context, running.keyId);
  const state = await startVariant(context, place, "repaired");
  report(context, state, [
    runsLine(place.drill, state),
    `The repair: ${place.drill.repair.trim()}`,
    "Give it half a minute of traffic, then verify:",
    `  ${context.terminal.program} case verify CASE --after --since ${state.startedAt}`,
  ]);
  return 0;
}

async function stop(context: CommandContext, place: DrillPlace): Promise<number> {
  const running = readState(place);
  if (running === undefined) throw notRunning(place.drill, context.terminal);
  await stopProcess(place, running);
  await revokeKey(context, running.keyId);
  if (switchOption(context, "json")) context.terminal.print(JSON.stringify({ stopped: true }));
  else context.terminal.print(`Stopped ${place.drill.name}.`);
  return 0;
}

async function startVariant(
  context: CommandContext,
  place: DrillPlace,
  variant: DrillState["variant"],
): Promise<DrillState> {
  const { client, baseUrl } = connect(context);
  const { status } = spawnSync(process.execPath, [installScript, "drill", place.drill.name], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) {
    throw new PlatformError("internal", "The packages of the drill could not be installed.", {
      hint: "The lines above say why.",
    });
  }
  const created = await client.createKey(
    {
      body: {
        name: `drill ${place.drill.name}`,
        role: "service",
        expiresInSeconds: keyLifetimeSeconds,
      },
    },
    { signal: context.signal },
  );
  const rate = textOption(context, "rate");
  context.terminal.note(
    `Starting ${place.drill.name} (${variant}); its log is ${logFile(place)} …`,
  );
  try {
    return await startProcess(place, {
      variant,
      endpoint: baseUrl,
      key: created.secret,
      keyId: created.key.id,
      environment: context.environment,
      flags: rate === undefined ? [] : [`--rate=${rate}`],
    });
  } catch (error) {
    await revokeKey(context, created.key.id);
    throw error;
  }
}

async function revokeKey(context: CommandContext, id: string): Promise<void> {
  await connect(context).client.revokeKey({ params: { id } }, { signal: context.signal });
}

function report(context: CommandContext, state: DrillState, lines: readonly string[]): void {
  if (switchOption(context, "json")) {
    context.terminal.print(JSON.stringify(state, undefined, 2));
    return;
  }
  context.terminal.print(lines.join("\n"));
}

function runsLine(drill: Drill, state: DrillState): string {
  return `${drill.name} runs, ${state.variant}: it answers at ${state.url} and sends telemetry as service '${drill.service}'.`;
}

function notRunning(drill: Drill, terminal: Terminal): PlatformError {
  return new PlatformError("conflict", `The drill ${drill.name} does not run.`, {
    hint: `Start it with: ${terminal.program} drill start ${drill.name}`,
  });
}
