/**
 * OpenTelemetry as a service would set it up: the published instrumentations of HTTP, GraphQL and pg, exported
 * over OTLP/HTTP. It is started before the libraries are loaded, because instrumentations patch them on load.
 */

import { type Context, context } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { GraphQLInstrumentation } from "@opentelemetry/instrumentation-graphql";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { core, node } from "@opentelemetry/sdk-node";
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from "@opentelemetry/semantic-conventions";

import type { DrillOptions } from "./options.ts";

export interface DrillTelemetry extends AsyncDisposable {
  /** Sends what is buffered. Rejects when the platform does not take it. */
  flush(): Promise<void>;
  /** Names the route of the request that is being answered, so that its span is called after it. */
  nameRoute(route: string): void;
  /** Runs `work` without spans. */
  untraced<T>(work: () => T): T;
}

const exportDelayMs = 500;
const exportTimeoutMs = 5_000;

/** Starts tracing for this process. */
export function startTelemetry(options: DrillOptions): DrillTelemetry {
  const exporter = new OTLPTraceExporter({
    url: `${options.otlpEndpoint.replace(/\/+$/, "")}/v1/traces`,
    headers: { authorization: `Bearer ${options.key}` },
    timeoutMillis: exportTimeoutMs,
  });
  const provider = new node.NodeTracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: options.service,
      [ATTR_SERVICE_VERSION]: options.variant === "broken" ? "1.0.0" : "1.0.1",
    }),
    sampler: samplerOf(options.samplingRatio),
    spanProcessors: [
      new node.BatchSpanProcessor(exporter, {
        scheduledDelayMillis: exportDelayMs,
        exportTimeoutMillis: exportTimeoutMs,
        maxQueueSize: 16_384,
        maxExportBatchSize: 1_024,
      }),
    ],
  });
  provider.register();
  const instrumentations = [
    new HttpInstrumentation({ disableOutgoingRequestInstrumentation: true }),
    // Trivial fields would bury the resolvers that do work. Paths keep their list indices.
    new GraphQLInstrumentation({ ignoreTrivialResolveSpans: true, mergeItems: false }),
    ...(options.databaseSpans ? [new PgInstrumentation({ requireParentSpan: true })] : []),
  ];
  return {
    flush: () => provider.forceFlush(),
    nameRoute(route) {
      const metadata = core.getRPCMetadata(context.active());
      if (metadata?.type === core.RPCType.HTTP) metadata.route = route;
    },
    untraced: (work) => context.with(core.suppressTracing(context.active()), work),
    async [Symbol.asyncDispose]() {
      for (const instrumentation of instrumentations) instrumentation.disable();
      await provider.shutdown();
    },
  };
}

/** Records a share of the requests, and says on each recorded request which share that is. */
function samplerOf(ratio: number): node.Sampler {
  const byTraceId = new node.TraceIdRatioBasedSampler(ratio);
  const root: node.Sampler = {
    shouldSample(parent: Context, traceId: string) {
      const result = byTraceId.shouldSample(parent, traceId);
      return { ...result, attributes: { "sampling.ratio": ratio } };
    },
    toString: () => `DrillSampler{${ratio}}`,
  };
  return new node.ParentBasedSampler({ root });
}
