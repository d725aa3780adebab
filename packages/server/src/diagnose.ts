/** What `faultline doctor` shows: versions, folders, port, database and settings, each with a verdict and a hint. */

import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import path from "node:path";

import { loadCatalog } from "#catalog/index.ts";
import { type Config, formatOrigin, noticeProviders } from "#config/index.ts";
import { type Clock, systemClock } from "#kernel/index.ts";
import { acquireDataFolder, attachPostgres, openPostgres } from "#storage/index.ts";
import { plural } from "@faultline/contracts";
import { PlatformError } from "@faultline/protocol";
import type { Logger } from "pino";

import { exposureWarning } from "./exposure.ts";
import { probePort } from "./probe-port.ts";

export interface Diagnosis {
  readonly name: string;
  readonly value: string;
  /** Where the value came from, for settings: `default`, `file:line`, an environment name, a flag. */
  readonly origin?: string;
  readonly verdict: "ok" | "warn" | "fail";
  /** What to do; absent when nothing is to do. */
  readonly hint?: string;
}

export interface DiagnoseOptions {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** For the question whether a Faultline holds the port. */
  readonly fetch: typeof globalThis.fetch;
}

const nodeMajorMin = 24;
const freeBytesMin = 1_073_741_824;
const probeMsMax = 2_000;

/** Looks at everything that a start needs. Starts nothing and leaves nothing behind; never throws for what it finds. */
export async function diagnose(config: Config, options: DiagnoseOptions): Promise<Diagnosis[]> {
  return [
    ...diagnoseMachine(),
    ...(await diagnoseDataFolder(config)),
    await diagnosePort(config, options),
    await diagnoseDatabase(config, options),
    ...diagnoseProviders(config),
    ...(await diagnoseOffers(config, options.signal)),
    ...diagnoseSettings(config),
  ];
}

function diagnoseMachine(): Diagnosis[] {
  const major = Number(process.versions.node.split(".")[0]);
  return [
    {
      name: "node",
      value: process.version,
      verdict: major >= nodeMajorMin ? "ok" : "fail",
      ...(major >= nodeMajorMin
        ? {}
        : { hint: `Faultline needs Node ${nodeMajorMin}; \`npm start\` brings its own.` }),
    },
    { name: "platform", value: `${process.platform} ${process.arch}`, verdict: "ok" },
  ];
}

async function diagnoseDataFolder(config: Config): Promise<Diagnosis[]> {
  const name = "data folder";
  const value = config.dataFolder;
  const existing = await nearestExisting(config.dataFolder);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch {
    return [
      {
        name,
        value,
        verdict: "fail",
        hint: `This user may not write ${existing}. Choose a folder of your own with --data.`,
      },
    ];
  }
  return [await diagnoseLock(config, existing), await diagnoseSpace(existing)];
}

async function diagnoseLock(config: Config, existing: string): Promise<Diagnosis> {
  const name = "data folder";
  const value = config.dataFolder;
  if (existing !== config.dataFolder)
    return { name, value: `${value} (made at the first start)`, verdict: "ok" };
  try {
    await using lock = await acquireDataFolder(config.dataFolder);
    void lock;
    return { name, value: `${value} (not in use)`, verdict: "ok" };
  } catch (error) {
    // A folder in use is what a running platform looks like.
    if (error instanceof PlatformError && error.code === "data_folder_in_use")
      return { name, value: error.message, verdict: "ok" };
    return { name, value, ...failureOf(error) };
  }
}

async function diagnoseSpace(existing: string): Promise<Diagnosis> {
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const value = `${(free / 1_073_741_824).toFixed(1)} GiB free`;
  if (free >= freeBytesMin) return { name: "disk", value, verdict: "ok" };
  return {
    name: "disk",
    value,
    verdict: "warn",
    hint: "Free some space, or move the data folder with --data.",
  };
}

async function nearestExisting(folder: string): Promise<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    const found = await stat(at).then(
      () => true,
      () => false,
    );
    if (found || at === path.dirname(at)) return at;
  }
}

async function diagnosePort(config: Config, options: DiagnoseOptions): Promise<Diagnosis> {
  const name = "port";
  const value = `${config.host}:${config.port}`;
  try {
    await probePort(config.host, config.port);
    return { name, value: `${value} (free)`, verdict: "ok" };
  } catch (error) {
    if (await isFaultline(config, options))
      return { name, value: `${value} (a Faultline answers)`, verdict: "ok" };
    return { name, value, ...failureOf(error) };
  }
}

async function isFaultline(
  config: Config,
  { fetch, signal, clock = systemClock }: DiagnoseOptions,
): Promise<boolean> {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  try {
    const response = await fetch(`http://${host}:${config.port}/api/openapi.json`, {
      signal: clock.deadline(probeMsMax, signal),
    });
    return response.ok && (await response.text()).includes("Faultline");
  } catch {
    // Whatever holds the port, it does not answer as Faultline does.
    return false;
  }
}

async function diagnoseDatabase(config: Config, options: DiagnoseOptions): Promise<Diagnosis> {
  const name = "database";
  const { signal, logger, clock = systemClock } = options;
  try {
    if (config.databaseUrl !== undefined) {
      await using postgres = await openPostgres({ ...config, clock, logger, signal });
      return {
        name,
        value: `${postgres.description} (PostgreSQL ${postgres.version})`,
        verdict: "ok",
      };
    }
    await using running = await attachPostgres(config.dataFolder);
    if (running === undefined)
      return { name, value: "embedded PostgreSQL, started by `faultline up`", verdict: "ok" };
    return {
      name,
      value: `${running.description} (PostgreSQL ${running.version}, running)`,
      verdict: "ok",
    };
  } catch (error) {
    return {
      name,
      value: config.databaseUrl === undefined ? "embedded PostgreSQL" : "DATABASE_URL",
      ...failureOf(error),
    };
  }
}

function diagnoseProviders(config: Config): Diagnosis[] {
  const catalog = loadCatalog(config.providers);
  return config.providers.map((provider): Diagnosis => {
    const models = catalog.listModels().filter((model) => model.provider === provider.name);
    const priced = new Set(
      catalog.snapshot.prices.flatMap((version) =>
        version.kind === "model" && version.provider === provider.name ? [version.model] : [],
      ),
    );
    const unpriced = models.map(({ name }) => name).filter((model) => !priced.has(model));
    const value = `${provider.kind}, ${plural(models.length, "model")}`;
    const name = `provider ${provider.name}`;
    if (models.length === 0)
      return {
        name,
        value,
        verdict: "warn",
        hint: "It lists no `models:`, so nothing can be called.",
      };
    if (unpriced.length === 0) return { name, value, verdict: "ok" };
    return {
      name,
      value,
      verdict: "warn",
      hint: `No price is known for ${unpriced.join(", ")}: set its prices, or \`local: true\`.`,
    };
  });
}

async function diagnoseOffers(config: Config, signal: AbortSignal): Promise<Diagnosis[]> {
  const offers = await noticeProviders(config, signal);
  return offers.map(({ noticed, yaml }) => ({
    name: "offer",
    value: noticed,
    verdict: "ok",
    hint: `To use it, add to \`providers:\` of faultline.yaml:\n${yaml}`,
  }));
}

function diagnoseSettings(config: Config): Diagnosis[] {
  const warning = exposureWarning(config);
  return config.settings.map(({ name, value, origin }) => ({
    name,
    value,
    origin: formatOrigin(origin),
    ...(name === "host" && warning !== undefined
      ? { verdict: "warn" as const, hint: warning }
      : { verdict: "ok" as const }),
  }));
}

function failureOf(error: unknown): Pick<Diagnosis, "verdict" | "hint"> {
  if (error instanceof PlatformError)
    return { verdict: "fail", hint: [error.message, error.hint ?? ""].join(" ").trim() };
  return { verdict: "fail", hint: error instanceof Error ? error.message : String(error) };
}
