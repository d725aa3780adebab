/** The options of `faultline snapshot create` that name live systems. */

import { type CommandContext, type CommandOption, UsageError } from "../command.ts";
import { textListOption, textOption } from "../connection.ts";
import { parseDurationMs } from "../moment.ts";
import { HttpSource } from "./http-source.ts";
import { jaegerSource } from "./jaeger-source.ts";
import { kubernetesSource } from "./kubernetes-source.ts";
import { lokiSource } from "./loki-source.ts";
import { liveLimits, type LiveSource, type LiveWindow } from "./live-source.ts";
import { pprofRoundCount, pprofSource } from "./pprof-source.ts";
import { defaultQueries, prometheusSource } from "./prometheus-source.ts";
import { tempoSource } from "./tempo-source.ts";

export const liveOptions = {
  "kube-context": {
    type: "string",
    value: "CONTEXT",
    description: "read the objects of this cluster, with kubectl and its kubeconfig",
  },
  namespace: { type: "string", value: "NAME", description: "of the cluster only this namespace" },
  kubeconfig: { type: "string", value: "FILE", description: "the kubeconfig (default: kubectl's)" },
  prometheus: {
    type: "string",
    value: "URL",
    description: "read metrics of Prometheus ($PROMETHEUS_TOKEN is its bearer token)",
  },
  "prometheus-query": {
    type: "string",
    multiple: true,
    value: "PROMQL",
    description: "ask for these series instead of the usual ones",
  },
  tempo: { type: "string", value: "URL", description: "read traces of Tempo ($TEMPO_TOKEN)" },
  jaeger: { type: "string", value: "URL", description: "read traces of Jaeger ($JAEGER_TOKEN)" },
  loki: { type: "string", value: "URL", description: "read logs of Loki ($LOKI_TOKEN)" },
  "loki-query": {
    type: "string",
    multiple: true,
    value: "LOGQL",
    description: "ask for these lines instead of those that fail and the newest",
  },
  pprof: {
    type: "string",
    multiple: true,
    value: "URL",
    description: "read profiles of a Go process; may be given several times ($PPROF_TOKEN)",
  },
  "pprof-every": {
    type: "string",
    value: "DURATION",
    description: `read goroutines and the heap ${pprofRoundCount} times, so long apart: what grows shows only so`,
  },
  since: { type: "string", value: "DURATION", description: "how far back: 15m, 2h (default: 15m)" },
  "source-timeout": {
    type: "string",
    value: "DURATION",
    description: `how long each live system may take (default: ${liveLimits.sourceDurationMs / 1_000}s)`,
  },
  raw: { type: "boolean", description: "keep secrets and personal data of live systems" },
} as const satisfies Record<string, CommandOption>;

const sinceDefault = "15m";
const webKinds = {
  prometheus: prometheusOf,
  tempo: tempoSource,
  jaeger: jaegerSource,
  loki: lokiOf,
} as const;

/** The live systems that a call names; none is fine. */
export function liveSources(context: CommandContext): readonly LiveSource[] {
  const cluster = textOption(context, "kube-context");
  const intervalMs = pprofIntervalMs(context);
  const rounds = intervalMs === undefined ? undefined : { intervalMs, clock: context.clock };
  const web = (["prometheus", "tempo", "jaeger", "loki"] as const).flatMap((kind) => {
    const address = textOption(context, kind);
    return address === undefined ? [] : [webKinds[kind](httpOf(context, kind, address), context)];
  });
  return [
    ...(cluster === undefined
      ? []
      : [
          kubernetesSource({
            context: cluster,
            namespace: textOption(context, "namespace"),
            kubeconfig: textOption(context, "kubeconfig"),
          }),
        ]),
    ...web,
    ...textListOption(context, "pprof").map((address) =>
      pprofSource(httpOf(context, "pprof", address), rounds),
    ),
  ];
}

/** The window that `--since` asks for. */
export function liveWindow(context: CommandContext): LiveWindow {
  const toMs = context.clock.nowMs();
  return { fromMs: toMs - durationOf(context, "since", sinceDefault), toMs };
}

/** How long each source may take, beside the time between rounds that a person asked for. */
export function sourceDurationMs(context: CommandContext): number {
  return durationOf(context, "source-timeout", `${liveLimits.sourceDurationMs}ms`);
}

function pprofIntervalMs(context: CommandContext): number | undefined {
  if (textOption(context, "pprof-every") === undefined) return undefined;
  return durationOf(context, "pprof-every", "");
}

function durationOf(context: CommandContext, name: string, standard: string): number {
  const text = textOption(context, name) ?? standard;
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined || durationMs <= 0) {
    throw new UsageError(`--${name} takes a duration such as 90s, 15m or 2h; '${text}' is none.`);
  }
  return durationMs;
}

function prometheusOf(http: HttpSource, context: CommandContext): LiveSource {
  const queries = textListOption(context, "prometheus-query");
  return prometheusSource(http, queries.length === 0 ? defaultQueries : queries);
}

function lokiOf(http: HttpSource, context: CommandContext): LiveSource {
  return lokiSource(http, textListOption(context, "loki-query"));
}

function httpOf(context: CommandContext, kind: string, address: string): HttpSource {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    // The address is not repeated: it may hold a password.
    throw new UsageError(`--${kind} takes an address such as http://127.0.0.1:9090.`);
  }
  const token = context.environment[`${kind.toUpperCase()}_TOKEN`];
  return new HttpSource(url, { fetch: globalThis.fetch, token });
}
