/** Opens the control API on its Unix socket. */

import fastifyCookie from "@fastify/cookie";
import { PlatformError } from "@faultline/protocol";
import { fastify, type FastifyInstance } from "fastify";

import { checkOrigin } from "./origin.ts";
import { readCredentials } from "./authenticate.ts";
import { serveConsole } from "./console.ts";
import { sendError, toPlatformError } from "./errors.ts";
import { registerHealth } from "./health.ts";
import { readJsonBodies } from "./json-body.ts";
import { httpLimits } from "./limits.ts";
import { answerUnknownPaths } from "./not-found.ts";
import { createOpenApi } from "./openapi.ts";
import { registerOtlp } from "./otlp/routes.ts";
import { registerApi } from "./register-api.ts";
import { measureRequests } from "./request-metrics.ts";
import { apiHandlers } from "./routes/index.ts";
import { addSecurityHeaders } from "./security-headers.ts";
import type { ControlOptions } from "./services.ts";
import { Sessions } from "./sessions.ts";
import { validatorCompiler } from "./validate.ts";

/** Listens on `options.socketPath`. Disposal answers what is under way, then closes. */
export async function openControlApi(options: ControlOptions): Promise<AsyncDisposable> {
  const { clock } = options;
  const app = await buildControlApi(options);
  await app.listen({ path: options.socketPath });
  return {
    async [Symbol.asyncDispose]() {
      const drained = new AbortController();
      const deadline = clock.deadline(httpLimits.drainMsMax, drained.signal);
      // Requests that do not end by themselves are cut, so that stopping always ends.
      deadline.addEventListener("abort", () => app.server.closeAllConnections(), { once: true });
      await app.close();
      drained.abort();
    },
  };
}

/** The control API without a socket. */
export async function buildControlApi(options: ControlOptions): Promise<FastifyInstance> {
  const { config, clock, random, services } = options;
  const app = fastify({
    logger: false,
    bodyLimit: httpLimits.jsonBodyBytesMax,
    routerOptions: { maxParamLength: httpLimits.parameterLengthMax },
    requestTimeout: httpLimits.receiveMsMax,
    http: { maxHeaderSize: httpLimits.headerBytesMax },
    forceCloseConnections: "idle",
    exposeHeadRoutes: true,
    frameworkErrors: (error, request, reply) =>
      void sendError(reply, toPlatformError(error, request, options)),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler((error, request, reply) =>
    sendError(reply, toPlatformError(error, request, options)),
  );
  answerUnknownPaths(app, options.consoleFolder);
  measureRequests(app, options.registry, clock);
  addSecurityHeaders(app);
  readJsonBodies(app);
  await app.register(fastifyCookie);
  refuseForeignPages(app, options);

  const sessions = new Sessions(clock, random.fork("sessions"));
  registerHealth(app, options);
  registerApi(app, {
    options,
    sessions,
    handlers: apiHandlers({ services, config, clock, sessions }),
  });
  const openApi = JSON.stringify(createOpenApi());
  app.get("/api/openapi.json", async (_request, reply) =>
    reply.type("application/json; charset=utf-8").send(openApi),
  );
  await registerOtlp(app, options, sessions);
  await serveConsole(app, options.consoleFolder);
  return app;
}

/** Probes name a pod by whatever name they like, and `/livez` tells nothing. */
const openPaths: readonly string[] = ["/livez"];

function refuseForeignPages(app: FastifyInstance, { config }: ControlOptions): void {
  app.addHook("onRequest", async (request) => {
    if (openPaths.includes(request.url)) return;
    const credentials = readCredentials(request);
    checkOrigin(
      {
        method: request.method,
        host: request.headers.host,
        origin: request.headers.origin,
        fetchSite: singleValue(request.headers["sec-fetch-site"]),
        bearer: credentials.bearer !== undefined,
        session: credentials.session !== undefined,
      },
      config,
    );
  });
}

function singleValue(header: string | string[] | undefined): string | undefined {
  if (!Array.isArray(header)) return header;
  throw new PlatformError("request_malformed", "A header that stands once stands several times.", {
    where: "headers",
  });
}
