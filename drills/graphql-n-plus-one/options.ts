/** What the drill's process can be told on its command line. */

import { parseArgs } from "node:util";

export type Variant = "broken" | "repaired";

export interface DrillOptions {
  readonly variant: Variant;
  /** Base URL of the platform, without `/v1/traces`. */
  readonly otlpEndpoint: string;
  /** A key that may write telemetry. */
  readonly key: string;
  /** Holds the drill's own database. */
  readonly dataFolder: string;
  /** `service.name` of the telemetry. */
  readonly service: string;
  /** Lengths of the lists that the load asks for, in turn. */
  readonly listSizes: readonly number[];
  /** Requests per second of the load; 0 sends none. */
  readonly requestsPerSecond: number;
  /** The load stops by itself after this many requests. */
  readonly requestCountMax: number;
  /** Whether the database client is instrumented. */
  readonly databaseSpans: boolean;
  /** The share of requests that is traced. */
  readonly samplingRatio: number;
  /** How long one message takes to reach the database: the distance that makes each statement cost something. */
  readonly databaseDistanceMs: number;
  /** Whether the customers table is taken away, so that every list fails. */
  readonly customersMissing: boolean;
}

export const drillDefaults = {
  service: "orders",
  listSizes: [5, 40],
  requestsPerSecond: 3,
  // Half an hour of the default rate: a drill that is forgotten goes quiet.
  requestCountMax: 5_400,
  databaseSpans: true,
  samplingRatio: 1,
  databaseDistanceMs: 2,
  customersMissing: false,
} as const;

const requestsPerSecondMax = 50;
const listSizeMax = 200;

export const usage = `Usage: node main.ts --variant broken|repaired --endpoint URL --data FOLDER [--key KEY]
  --key KEY                  a key that may write telemetry (default: $FAULTLINE_KEY)
  --service NAME             service.name of the telemetry (default: orders)
  --list-sizes N[,N…]        lengths of the lists asked for, 1 to ${listSizeMax} (default: 5,40)
  --rate N                   requests per second, 0 to ${requestsPerSecondMax} (default: 3)
  --request-count-max N      the load stops after so many requests (default: 5400)
  --no-database-spans        leave the database client uninstrumented
  --sampling RATIO           share of requests that is traced, 0 to 1 (default: 1)
  --database-distance-ms N   one-way distance to the database (default: 2)
  --customers-missing        take the customers table away, so that lists fail`;

/** Reads the command line. Throws an `Error` that says which flag is wrong. */
export function readOptions(commandLine: readonly string[]): DrillOptions {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      variant: { type: "string" },
      endpoint: { type: "string" },
      key: { type: "string" },
      data: { type: "string" },
      service: { type: "string", default: drillDefaults.service },
      "list-sizes": { type: "string", default: drillDefaults.listSizes.join(",") },
      rate: { type: "string", default: String(drillDefaults.requestsPerSecond) },
      "request-count-max": { type: "string", default: String(drillDefaults.requestCountMax) },
      "no-database-spans": { type: "boolean", default: false },
      sampling: { type: "string", default: String(drillDefaults.samplingRatio) },
      "database-distance-ms": { type: "string", default: String(drillDefaults.databaseDistanceMs) },
      "customers-missing": { type: "boolean", default: false },
    },
  });
  const variant = values.variant;
  if (variant !== "broken" && variant !== "repaired") {
    throw new Error("--variant must be broken or repaired");
  }
  return {
    variant,
    otlpEndpoint: required("endpoint", values.endpoint),
    // By the environment the key stays out of the list of processes.
    key: required("key (or FAULTLINE_KEY)", values.key ?? process.env["FAULTLINE_KEY"]),
    dataFolder: required("data", values.data),
    service: values.service,
    listSizes: values["list-sizes"]
      .split(",")
      .map((size) => numberBetween("list-sizes", size, { least: 1, most: listSizeMax })),
    requestsPerSecond: numberBetween("rate", values.rate, { least: 0, most: requestsPerSecondMax }),
    requestCountMax: numberBetween("request-count-max", values["request-count-max"], {
      least: 0,
      most: 100_000,
    }),
    databaseSpans: !values["no-database-spans"],
    samplingRatio: numberBetween("sampling", values.sampling, { least: 0, most: 1 }),
    databaseDistanceMs: numberBetween("database-distance-ms", values["database-distance-ms"], {
      least: 0,
      most: 100,
    }),
    customersMissing: values["customers-missing"],
  };
}

function required(flag: string, value: string | undefined): string {
  if (value === undefined || value === "") throw new Error(`--${flag} is required`);
  return value;
}

function numberBetween(
  flag: string,
  text: string,
  { least, most }: { least: number; most: number },
): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= least && value <= most)) {
    throw new Error(`--${flag} must be a number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}
