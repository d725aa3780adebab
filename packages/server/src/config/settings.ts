/** The scalar settings: their path in the file, and the environment name and flag that set them too. */

import type { ConfigSchema } from "./check-value.ts";
import { ConfigFile } from "./file-schema.ts";

export interface ScalarSetting {
  /** The path in `faultline.yaml`, joined with dots; the name by which errors and `doctor` know it. */
  readonly name: string;
  readonly path: readonly string[];
  readonly schema: ConfigSchema;
  readonly environmentName: string;
  /** The flag of `faultline up` and `doctor`, without the dashes. */
  readonly flag?: FlagName;
  /** Shown only as set or unset. */
  readonly secret: boolean;
}

/** Flags that set a setting; `config` names the file itself. */
export type FlagName = "data" | "host" | "port" | "workers" | "log-level" | "log-format";

const flags: Readonly<Record<string, FlagName>> = {
  dataFolder: "data",
  host: "host",
  port: "port",
  workers: "workers",
  "log.level": "log-level",
  "log.format": "log-format",
};

/** Names that others have made a custom. */
const customaryNames: Readonly<Record<string, string>> = {
  databaseUrl: "DATABASE_URL",
  dataFolder: "FAULTLINE_DATA",
};

/** Every scalar setting in the order of the schema. */
export const scalarSettings: readonly ScalarSetting[] = collect(ConfigFile, []);

function collect(schema: ConfigSchema, path: readonly string[]): ScalarSetting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([part, partSchema]) => {
    const partPath = [...path, part];
    if (partSchema.type === "object") return collect(partSchema, partPath);
    if (partSchema.type === "array") return [];
    const name = partPath.join(".");
    const flag = flags[name];
    return [
      {
        name,
        path: partPath,
        schema: partSchema,
        environmentName: customaryNames[name] ?? environmentNameOf(partPath),
        ...(flag === undefined ? {} : { flag }),
        secret: name === "databaseUrl",
      },
    ];
  });
}

/** `store.retentionDays` is set by `FAULTLINE_STORE_RETENTION_DAYS`. */
function environmentNameOf(path: readonly string[]): string {
  const words = path.map((part) =>
    part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
  );
  return ["FAULTLINE", ...words].join("_");
}
