/** Builds the configuration: flags over environment over `faultline.yaml` over defaults, each value with its origin. */

import { existsSync } from "node:fs";
import path from "node:path";

import { PlatformError } from "@faultline/protocol";

import { assemble, type ChosenValue, type Scalar } from "./assemble.ts";
import { checkValue, type ConfigSchema } from "./check-value.ts";
import type { Config, SettingOrigin } from "./config.ts";
import { formatOrigin } from "./format-origin.ts";
import type { Environment } from "./providers.ts";
import { type ReadConfigFile, readConfigFile } from "./read-file.ts";
import { type FlagName, type ScalarSetting, scalarSettings } from "./settings.ts";

export interface ConfigSources {
  /** A file to read; without it `faultline.yaml` of the working folder, when there is one. */
  readonly file?: string | undefined;
  readonly flags?: Partial<Record<FlagName, string | undefined>>;
  /** Default: the environment of the process. */
  readonly environment?: Environment;
  /** Default: the working folder of the process. */
  readonly workingFolder?: string;
}

export const defaultConfigFileName = "faultline.yaml";

/** Reads all sources. Throws `configuration_invalid`, which names the setting and where it was set. */
export function loadConfig(sources: ConfigSources = {}): Config {
  const environment = sources.environment ?? process.env;
  const workingFolder = sources.workingFolder ?? process.cwd();
  const filePath = findFile(sources.file ?? environment["FAULTLINE_CONFIG"], workingFolder);
  const file = filePath === undefined ? undefined : readConfigFile(filePath);

  const values = new Map<string, ChosenValue>();
  for (const setting of scalarSettings) {
    values.set(
      setting.name,
      chooseValue(setting, { flags: sources.flags ?? {}, environment, file }),
    );
  }
  return assemble(values, { file, filePath, environment, workingFolder });
}

interface Sources {
  readonly flags: Partial<Record<FlagName, string | undefined>>;
  readonly environment: Environment;
  readonly file: ReadConfigFile | undefined;
}

function findFile(named: string | undefined, workingFolder: string): string | undefined {
  if (named !== undefined && named !== "") return path.resolve(workingFolder, named);
  const usual = path.join(workingFolder, defaultConfigFileName);
  return existsSync(usual) ? usual : undefined;
}

function chooseValue(setting: ScalarSetting, sources: Sources): ChosenValue {
  const flagText = setting.flag === undefined ? undefined : sources.flags[setting.flag];
  if (setting.flag !== undefined && flagText !== undefined) {
    const origin: SettingOrigin = { kind: "flag", name: `--${setting.flag}` };
    return { setting, value: readText(setting, flagText, origin), origin };
  }
  const environmentText = sources.environment[setting.environmentName];
  // An empty variable is how shells and compose files spell "not set".
  if (environmentText !== undefined && environmentText !== "") {
    const origin: SettingOrigin = { kind: "environment", name: setting.environmentName };
    return { setting, value: readText(setting, environmentText, origin), origin };
  }
  const fileValue =
    sources.file === undefined ? undefined : valueAt(sources.file.values, setting.path);
  if (sources.file !== undefined && fileValue !== undefined) {
    return {
      setting,
      value: fileValue,
      origin: { kind: "file", where: sources.file.originOf(setting.path) },
    };
  }
  return { setting, value: asScalar(setting.schema.default), origin: { kind: "default" } };
}

/** Text of a flag or variable as the type of its setting. */
function readText(setting: ScalarSetting, text: string, origin: SettingOrigin): Scalar {
  const value = fromText(setting.schema, text.trim());
  const [problem] = checkValue(setting.schema, value, setting.path);
  if (problem === undefined) return value;
  const where = formatOrigin(origin);
  throw new PlatformError("configuration_invalid", `${where}: ${problem.message}`, {
    where,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  });
}

function fromText(schema: ConfigSchema, text: string): Scalar {
  if (schema.type === "integer" || schema.type === "number") {
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  }
  return text;
}

function valueAt(values: unknown, at: readonly string[]): Scalar | undefined {
  let value = values;
  for (const part of at) {
    // The file was checked against its schema: what lies on a setting's path is a mapping.
    value = value === undefined ? undefined : (value as Record<string, unknown>)[part];
  }
  return asScalar(value);
}

function asScalar(value: unknown): Scalar | undefined {
  return typeof value === "string" || typeof value === "number" ? value : undefined;
}
