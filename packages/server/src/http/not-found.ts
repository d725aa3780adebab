/** What no route answers: a page of the console, a method that the path lacks, or nothing at all. */

import { PlatformError } from "@faultline/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { isPage, sendPage } from "./console.ts";
import { sendError } from "./errors.ts";

interface KnownPath {
  readonly matches: RegExp;
  readonly methods: Set<string>;
}

/** Remembers the routes of `app` and answers what none of them does. Call it before routes are added. */
export function answerUnknownPaths(app: FastifyInstance, consoleFolder: string): void {
  const paths = new Map<string, KnownPath>();
  app.addHook("onRoute", (route) => {
    if (route.url.includes("*")) return;
    const pattern = route.url
      .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll(/:[A-Za-z]+/g, "[^/]+");
    const known = paths.get(route.url) ?? {
      matches: new RegExp(`^${pattern}$`),
      methods: new Set<string>(),
    };
    for (const method of [route.method].flat()) known.methods.add(method);
    paths.set(route.url, known);
  });
  app.setNotFoundHandler((request, reply) =>
    answer(request, reply, { paths: [...paths.values()], consoleFolder }),
  );
}

interface Known {
  readonly paths: readonly KnownPath[];
  readonly consoleFolder: string;
}

function answer(request: FastifyRequest, reply: FastifyReply, known: Known): FastifyReply {
  const [path = ""] = request.url.split("?", 1);
  const methods = new Set(
    known.paths.filter(({ matches }) => matches.test(path)).flatMap((one) => [...one.methods]),
  );
  if (methods.size > 0) {
    const allowed = [...methods].sort().join(", ");
    reply.header("allow", allowed);
    return sendError(
      reply,
      new PlatformError("method_not_allowed", `${request.method} is not a method of this path.`, {
        hint: `Allowed: ${allowed}.`,
      }),
    );
  }
  if (isPage(request)) return sendPage(reply, known.consoleFolder);
  return sendError(
    reply,
    new PlatformError("not_found", `There is nothing at ${request.method} ${path.slice(0, 200)}.`, {
      hint: "GET /api/openapi.json lists the control API; /v1/chat/completions and /v1/models are the gateway.",
    }),
  );
}
