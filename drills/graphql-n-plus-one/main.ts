/**
 * The drill's process: a GraphQL service over PostgreSQL with telemetry and a steady load. It prints one line
 * of JSON when it is ready, and stops cleanly, with its telemetry sent, on SIGTERM or SIGINT.
 */

import { openOrders } from "./database.ts";
import { runLoad, type LoadTotals } from "./load.ts";
import { drillDefaults, type DrillOptions, readOptions, usage } from "./options.ts";
import { openServer } from "./server.ts";
import { startTelemetry } from "./telemetry.ts";

/** What must be said to start the drill; the rest has defaults. */
export type StartRequest = Partial<DrillOptions> &
  Pick<DrillOptions, "variant" | "otlpEndpoint" | "key" | "dataFolder"> & {
    readonly signal: AbortSignal;
  };

export interface RunningDrill extends AsyncDisposable {
  /** Where the GraphQL service answers. */
  readonly url: string;
  /** Resolves when the load has ended, by its bound or by the signal. */
  readonly load: Promise<LoadTotals>;
  /** Sends the telemetry that is buffered. */
  flush(): Promise<void>;
}

/**
 * Starts the drill. Instrumentations patch libraries of the whole process, so a process runs one drill.
 * Disposing ends the load, sends the telemetry and stops the database.
 */
export async function startDrill(request: StartRequest): Promise<RunningDrill> {
  const options = { ...drillDefaults, ...request };
  await using stack = new AsyncDisposableStack();
  // Telemetry comes first: what loads the database client before it would escape the instrumentation.
  const telemetry = stack.use(startTelemetry(options));
  const { openPostgresServer } = await import("./postgres.ts");
  const postgres = stack.use(await openPostgresServer(options.dataFolder, options.signal));
  const database = stack.use(
    await openOrders(postgres.connection, {
      distanceMs: options.databaseDistanceMs,
      customersMissing: options.customersMissing,
    }),
  );
  const server = stack.use(
    await openServer({ variant: options.variant, pool: database.pool, telemetry }),
  );

  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const load = telemetry.untraced(() => runLoad(server.url, options, signal));
  stack.defer(async () => {
    ending.abort();
    await load;
  });
  const opened = stack.move();
  return {
    url: server.url,
    load,
    flush: () => telemetry.flush(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
  }
  const options = readOptions(process.argv.slice(2));
  await using drill = await startDrill({ ...options, signal: stopping.signal });
  const { variant, service } = options;
  print({
    ready: true,
    drill: "graphql-n-plus-one",
    variant,
    service,
    url: drill.url,
    pid: process.pid,
  });

  const totals = await drill.load;
  await drill.flush();
  print({ loadEnded: true, ...totals });
  if (!stopping.signal.aborted) {
    await new Promise<void>((resolve) => {
      stopping.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exitCode = 1;
  }
}
