/** `faultline up`: runs the whole platform in the foreground. */

import type { Config, Platform, ProviderOffer } from "@faultline/server";
import { raceAbort } from "@faultline/server/kernel/index.ts";

import type { Command } from "../command.ts";
import { defaultUrl, switchOption } from "../connection.ts";
import { configSources, readConfig, serverOptions } from "../server-options.ts";
import type { Terminal } from "../terminal.ts";

export const command: Command = {
  summary: "run the platform: gateway, telemetry, cases, console",
  usage: ["up [--port PORT] [--data FOLDER]"],
  options: {
    ...serverOptions,
    "new-admin-key": {
      type: "boolean",
      description: "make another admin key and show it, for when the first one is lost",
    },
  },
  notes: [
    "Without DATABASE_URL it runs a PostgreSQL of its own in the data folder. Ctrl-C or SIGTERM drains and stops everything. SIGHUP, or a change of the settings file, takes over providers, limits and gateway settings without a restart.",
  ],
  async run(context) {
    const { terminal, signal } = context;
    // The server is loaded only when it is to run, so that the help is quick.
    const { createLogger, noticeProviders, startPlatform } = await import("@faultline/server");
    const config = await readConfig(context);
    const logger = createLogger(config.log);
    const { loadConfig } = await import("@faultline/server/config/index.ts");
    const platform = await startPlatform(config, {
      logger,
      signal,
      loadConfig: () => loadConfig(configSources(context)),
      newAdminKey: switchOption(context, "new-admin-key"),
    });
    // On a terminal that is closed the signal means the end, as it does for any command.
    const reload = (): void => void platform.reload();
    if (!process.stdin.isTTY) process.on("SIGHUP", reload);
    try {
      terminal.print(
        welcome({ platform, config, terminal, offers: await noticeProviders(config, signal) }),
      );
      const lost = await raceAbort(platform.lost, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (lost !== undefined) throw lost;
    } finally {
      terminal.note(
        "Stopping: open answers are finished first; press Ctrl-C again to stop at once.",
      );
      process.off("SIGHUP", reload);
      await platform[Symbol.asyncDispose]();
    }
    terminal.note("Stopped.");
    return 0;
  },
};

interface Welcome {
  readonly platform: Platform;
  readonly config: Config;
  readonly terminal: Terminal;
  readonly offers: readonly ProviderOffer[];
}

/** What to do next, ready to copy. */
function welcome({ platform, config, terminal, offers }: Welcome): string {
  const { url, adminKey } = platform;
  const bold = (text: string): string => terminal.style("bold", text);
  const dim = (text: string): string => terminal.style("dim", text);
  return [
    "",
    `${bold("Faultline")} is ready after ${(platform.startedInMs / 1_000).toFixed(1)} s ${dim(`(${platform.database.description})`)}`,
    "",
    `  Console      ${bold(url)}`,
    ...keyLines(adminKey, terminal),
    "",
    ...platform.warnings.map(
      (warning) => `  ${terminal.style("yellow", "Warning")}      ${warning}`,
    ),
    ...(platform.warnings.length === 0 ? [] : [""]),
    bold("Call a model") + dim(`  (${modelNote(config)})`),
    `  export FAULTLINE_KEY=${adminKey ?? "fl_default_…"}`,
    // The commands look at the default address unless they are told another.
    ...(url === defaultUrl ? [] : [`  export FAULTLINE_URL=${url}`]),
    `  curl ${url}/v1/chat/completions -H "authorization: Bearer $FAULTLINE_KEY" -H 'content-type: application/json' \\`,
    `    -d '{"model": "${exampleModel(config)}", "messages": [{"role": "user", "content": "hello"}]}'`,
    `  Python  OpenAI(base_url="${url}/v1", api_key=os.environ["FAULTLINE_KEY"])`,
    `  Node    new OpenAI({ baseURL: "${url}/v1", apiKey: process.env.FAULTLINE_KEY })`,
    "",
    bold("Find a fault"),
    `  ${terminal.program} drill start graphql-n-plus-one`,
    "",
    ...offerLines(offers, terminal),
    bold("Send telemetry") + dim("  (OTLP over HTTP; there is no gRPC)"),
    "  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    `  export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$FAULTLINE_KEY"`,
    `  export OTEL_EXPORTER_OTLP_ENDPOINT=${url}`,
    "",
  ].join("\n");
}

function keyLines(adminKey: string | undefined, terminal: Terminal): string[] {
  if (adminKey === undefined) {
    return [
      `  Key          the admin key of the first start; lost it? ${terminal.program} up --new-admin-key`,
    ];
  }
  return [
    `  Admin key    ${terminal.style(["bold", "green"], adminKey)}`,
    "               Shown this once and stored only as a hash. Keep it.",
    "  Tenant       default, without a spending cap",
  ];
}

function modelNote(config: Config): string {
  return config.providers.every((provider) => provider.kind === "simulated")
    ? "the built-in provider 'simulated' is no language model; name your own in faultline.yaml"
    : "models of faultline.yaml";
}

function exampleModel(config: Config): string {
  return config.providers.flatMap((provider) => provider.models)[0]?.name ?? "MODEL";
}

function offerLines(offers: readonly ProviderOffer[], terminal: Terminal): string[] {
  return offers.flatMap((offer) => [
    `${terminal.style("bold", offer.noticed)} To use it, add this to providers: in faultline.yaml`,
    ...offer.yaml.split("\n").map((line) => `  ${line}`),
    "",
  ]);
}
