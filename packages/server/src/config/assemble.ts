/** Assembles the typed configuration from the chosen value of each setting and the lists of the file. */

import { availableParallelism } from "node:os";
import path from "node:path";

import { assert } from "#kernel/index.ts";
import { PlatformError, type TenantId } from "@faultline/protocol";

import type { ConfigPath } from "./check-value.ts";
import type { Config, SettingOrigin, SettingReport, TenantConfig } from "./config.ts";
import { formatOrigin } from "./format-origin.ts";
import { defaultProviders, type Environment, readProviders } from "./providers.ts";
import { readCompute } from "./read-compute.ts";
import { readDispatch } from "./read-dispatch.ts";
import type { ReadConfigFile } from "./read-file.ts";
import { readLimits } from "./read-limits.ts";
import { readRegions } from "./read-regions.ts";
import { readWebhooks } from "./read-webhooks.ts";
import type { ScalarSetting } from "./settings.ts";

export type Scalar = string | number;

/** The value of one scalar setting, and which source won. */
export interface ChosenValue {
  readonly setting: ScalarSetting;
  readonly value: Scalar | undefined;
  readonly origin: SettingOrigin;
}

export type ChosenValues = ReadonlyMap<string, ChosenValue>;

export interface Assembly {
  readonly file: ReadConfigFile | undefined;
  readonly filePath: string | undefined;
  readonly environment: Environment;
  readonly workingFolder: string;
}

const bytesPerMegabyte = 1_048_576;
const msPerSecond = 1_000;
const msPerMinute = 60_000;
const msPerHour = 3_600_000;
const bytesPerKilobyte = 1_024;

/** Throws `configuration_invalid`. */
export function assemble(values: ChosenValues, assembly: Assembly): Config {
  const { text, number, optional, bytes } = readersOf(values);
  const { file, filePath, environment, workingFolder } = assembly;
  const originOf = (at: ConfigPath): string => file?.originOf(at) ?? "default";

  const dataBase =
    values.get("dataFolder")?.origin.kind === "file" && filePath !== undefined
      ? path.dirname(filePath)
      : workingFolder;
  const workerCount =
    values.get("workers")?.value === undefined
      ? Math.max(1, availableParallelism() - 1)
      : number("workers");
  const providers =
    file?.values.providers === undefined
      ? defaultProviders
      : readProviders(file.values.providers, environment, originOf);
  const publicUrl = optional("publicUrl");

  return {
    dataFolder: path.resolve(dataBase, text("dataFolder")),
    host: text("host"),
    port: number("port"),
    publicUrl:
      publicUrl === undefined
        ? undefined
        : readPublicUrl(publicUrl, values.get("publicUrl")?.origin),
    workerCount,
    databaseUrl: optional("databaseUrl"),
    // The schemas of both settings are exactly these unions.
    log: {
      level: text("log.level") as Config["log"]["level"],
      format: text("log.format") as Config["log"]["format"],
    },
    store: {
      retentionDays: number("store.retentionDays"),
      sizeBytesMax: bytes("store.sizeMegabytesMax"),
    },
    otlp: {
      bodyBytesMax: bytes("otlp.bodyMegabytesMax"),
      unpackedBytesMax: bytes("otlp.unpackedMegabytesMax"),
      recordCountMax: number("otlp.recordCountMax"),
    },
    gateway: gatewayLimits(values, file?.values.tenants),
    limits: readLimits({
      valueOf: (name) => values.get(name)?.value,
      file: file?.values.limits,
      originOf,
    }),
    compute: readCompute({ number, text, file: file?.values.compute, originOf }),
    regions: readRegions({ number, optional, file: file?.values.regions, environment, originOf }),
    ledger: { appliesProposals: text("ledger.reconciliation") === "apply" },
    webhooks: readWebhooks({ text, file: file?.values.webhooks, environment, originOf }),
    providers,
    tenants: readTenants(file, originOf),
    file: filePath,
    settings: reportSettings(values, {
      workerCount,
      providerNames: providers.map(({ name }) => name),
      file,
    }),
  };
}

function gatewayLimits(
  values: ChosenValues,
  tenants: ReadConfigFile["values"]["tenants"],
): Config["gateway"] {
  const { number, bytes, text } = readersOf(values);
  return {
    bodyBytesMax: bytes("gateway.bodyMegabytesMax"),
    headerBytesMax: number("gateway.headerKilobytesMax") * bytesPerKilobyte,
    depthMax: number("gateway.depthMax"),
    messageCountMax: number("gateway.messageCountMax"),
    toolCountMax: number("gateway.toolCountMax"),
    imageCountMax: number("gateway.imageCountMax"),
    proxyCount: number("gateway.proxyCount"),
    concurrencyMax: number("gateway.concurrencyMax"),
    queueMs: number("gateway.queueMs"),
    connectMs: number("gateway.connectMs"),
    firstTokenMs: number("gateway.firstTokenMs"),
    stallMs: number("gateway.stallMs"),
    totalMs: number("gateway.totalMs"),
    dispatch: readDispatch({ number, text, tenants }),
    streamRetentionMs: number("gateway.streamRetentionMinutes") * msPerMinute,
    streamBytesMax: bytes("gateway.streamMegabytesMax"),
    idempotencyMs: number("gateway.idempotencyHours") * msPerHour,
    idempotencyBytesMax: bytes("gateway.idempotencyMegabytesMax"),
    cacheMs: number("gateway.cacheSeconds") * msPerSecond,
    cacheBytesMax: bytes("gateway.cacheMegabytesMax"),
    captureRatios: Object.fromEntries(
      (tenants ?? []).flatMap(({ id, captureRatio }) =>
        captureRatio === undefined ? [] : [[id, captureRatio]],
      ),
    ),
  };
}

/** Typed reads of settings that have a value by schema or default. */
function readersOf(values: ChosenValues): {
  text: (name: string) => string;
  number: (name: string) => number;
  optional: (name: string) => string | undefined;
  bytes: (name: string) => number;
} {
  const text = (name: string): string => {
    const value = values.get(name)?.value;
    assert(typeof value === "string", `${name} is text with a default`);
    return value;
  };
  const number = (name: string): number => {
    const value = values.get(name)?.value;
    assert(typeof value === "number", `${name} is a number with a default`);
    return value;
  };
  const optional = (name: string): string | undefined =>
    values.get(name)?.value === undefined ? undefined : text(name);
  const bytes = (name: string): number => number(name) * bytesPerMegabyte;
  return { text, number, optional, bytes };
}

function readPublicUrl(text: string, origin: SettingOrigin | undefined): URL {
  const url = URL.parse(text);
  if (
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.pathname === "/"
  )
    return url;
  const where = origin === undefined ? "publicUrl" : formatOrigin(origin);
  throw new PlatformError(
    "configuration_invalid",
    `${where}: publicUrl must be an http or https URL without a path, but is \`${text}\`.`,
    {
      where,
      hint: "For example https://faultline.example.org.",
    },
  );
}

function readTenants(
  file: ReadConfigFile | undefined,
  originOf: (at: ConfigPath) => string,
): TenantConfig[] {
  const seen = new Set<string>();
  return (file?.values.tenants ?? []).map((tenant, index) => {
    if (seen.has(tenant.id)) {
      const where = originOf(["tenants", index, "id"]);
      throw new PlatformError(
        "configuration_invalid",
        `${where}: tenant \`${tenant.id}\` stands twice.`,
        { where, hint: "Merge the two." },
      );
    }
    seen.add(tenant.id);
    // The schema of the file holds the pattern that makes a text a tenant id.
    return { id: tenant.id as TenantId, capture: tenant.capture ?? "metadata" };
  });
}

interface Derived {
  readonly workerCount: number;
  readonly providerNames: readonly string[];
  readonly file: ReadConfigFile | undefined;
}

function reportSettings(values: ChosenValues, derived: Derived): SettingReport[] {
  const scalars = [...values.values()].map(({ setting, value, origin }): SettingReport => {
    if (setting.name === "workers")
      return { name: "workers", value: String(derived.workerCount), origin };
    const shown = value === undefined ? "not set" : setting.secret ? "set" : String(value);
    return { name: setting.name, value: shown, origin };
  });
  const sectionOrigin = (name: "providers" | "tenants"): SettingOrigin =>
    derived.file?.values[name] === undefined
      ? { kind: "default" }
      : { kind: "file", where: derived.file.originOf([name]) };
  const tenants = (derived.file?.values.tenants ?? []).map(
    (tenant) => `${tenant.id} (capture: ${tenant.capture ?? "metadata"})`,
  );
  return [
    ...scalars,
    {
      name: "providers",
      value: derived.providerNames.join(", ") || "none",
      origin: sectionOrigin("providers"),
    },
    {
      name: "tenants",
      value: tenants.join(", ") || "all by default (capture: metadata)",
      origin: sectionOrigin("tenants"),
    },
  ];
}
