/** Registers the table of routes: for each, who may call it, what it reads and how it answers. */

import { Readable } from "node:stream";

import type { Principal } from "#identity/index.ts";
import { assert } from "#kernel/index.ts";
import { type ApiRoute, type ApiRouteName, apiRouteNames, apiRoutes } from "@faultline/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Check } from "typebox/value";

import { authenticate, authorize, readCredentials } from "./authenticate.ts";
import { requestSignal } from "./request-signal.ts";
import type { ApiContext, ApiHandlers, ControlOptions } from "./services.ts";
import type { Sessions } from "./sessions.ts";

/** A handler whose input the route's schemas have validated. */
type AnyHandler = (input: unknown, context: Partial<ApiContext>) => Promise<unknown>;

export interface ApiParts {
  readonly options: ControlOptions;
  readonly sessions: Sessions;
  readonly handlers: ApiHandlers;
}

/** Adds every route of the table to `app`. */
export function registerApi(app: FastifyInstance, parts: ApiParts): void {
  for (const name of apiRouteNames) registerRoute(app, name, parts);
}

function registerRoute(
  app: FastifyInstance,
  name: ApiRouteName,
  { options, sessions, handlers }: ApiParts,
): void {
  const route: ApiRoute = apiRoutes[name];
  // The table of handlers is typed by the table of routes, and the schemas of the route validate what it gets.
  const handler = handlers[name] as AnyHandler;
  const principals = new WeakMap<FastifyRequest, Principal>();
  // Who has nothing to say need not send `{}`.
  const mayBeAbsent = route.body !== undefined && Check(route.body, {});

  app.route({
    method: route.method,
    url: route.path,
    schema: schemaOf(route),
    // Before the body is read: nobody unknown makes the server hold one.
    onRequest: async (request, reply) => {
      const { access } = route;
      if (access === "public") return;
      const principal = await authenticate({
        credentials: readCredentials(request),
        identity: options.services.identity,
        sessions,
        signal: requestSignal(reply, options),
      });
      authorize(principal, access);
      principals.set(request, principal);
    },
    preValidation: async (request) => {
      if (request.body === undefined && mayBeAbsent) request.body = {};
    },
    handler: async (request, reply) => {
      const signal = requestSignal(reply, options);
      const input = { params: request.params, query: request.query, body: request.body };
      const context = contextOf(principals.get(request), { signal, reply });
      assert(
        route.access === "public" || context.principal !== undefined,
        "a guarded route has a principal",
      );
      const output = await handler(input, context);
      return send(reply, route, output);
    },
  });
}

function schemaOf(route: ApiRoute): Record<string, unknown> {
  return {
    ...(route.params === undefined ? {} : { params: route.params }),
    ...(route.query === undefined ? {} : { querystring: route.query }),
    ...(route.body === undefined ? {} : { body: route.body }),
  };
}

function contextOf(
  principal: Principal | undefined,
  rest: { signal: AbortSignal; reply: FastifyReply },
): Partial<ApiContext> {
  if (principal === undefined) return rest;
  return { ...rest, principal, scope: { tenantId: principal.tenantId, signal: rest.signal } };
}

function send(reply: FastifyReply, route: ApiRoute, output: unknown): FastifyReply {
  reply.status(route.reply.status);
  switch (route.reply.kind) {
    case "empty":
      return reply.send();
    case "json":
      return reply.type("application/json; charset=utf-8").send(JSON.stringify(output));
    case "text":
      return reply.send(output);
    case "stream":
      // Nobody reads what follows the head: a stream that is not begun reads nothing either.
      if (reply.request.method === "HEAD") return reply.send(Readable.from([]));
      // The handlers of such routes are typed to give pieces of text.
      return reply.send(Readable.from(output as AsyncIterable<string>, { objectMode: false }));
    case "bytes":
      assert(output instanceof Uint8Array, "a route of bytes answers with bytes");
      return reply.send(Buffer.from(output.buffer, output.byteOffset, output.byteLength));
  }
}
