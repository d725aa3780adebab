/** Serves the console: its built files, the page for every path of its own, or a page that says how to build it. */

import { existsSync } from "node:fs";
import path from "node:path";

import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Paths that are never pages of the console. */
const machinePaths = ["/api/", "/v1/", "/metrics", "/livez", "/readyz"];

const yearSeconds = 31_536_000;

/** Registers the files of `folder`, if they are there. */
export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(path.join(folder, "index.html"))) return;
  await app.register(fastifyStatic, {
    root: folder,
    index: ["index.html"],
    dotfiles: "deny",
    cacheControl: false,
    setHeaders(reply, file) {
      // Vite puts a hash of the content into the name of every file below assets/.
      const hashed = path.relative(folder, file).startsWith(`assets${path.sep}`);
      reply.header(
        "cache-control",
        hashed ? `public, max-age=${yearSeconds}, immutable` : "no-cache",
      );
    },
  });
}

/** Whether a path that no route serves is a page of the console. */
export function isPage(request: FastifyRequest): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  if (machinePaths.some((prefix) => request.url.startsWith(prefix))) return false;
  return request.headers.accept?.includes("text/html") ?? false;
}

/** The console's one page, which reads the path itself; without a build, the honest page. */
export function sendPage(reply: FastifyReply, folder: string): FastifyReply {
  if (existsSync(path.join(folder, "index.html"))) return reply.sendFile("index.html", folder);
  return reply.status(200).type("text/html; charset=utf-8").send(notBuiltPage);
}

const notBuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Faultline: the console is not built</title>
<h1>The console is not built</h1>
<p>Faultline runs: the gateway, telemetry and the API at <a href="/api/openapi.json">/api</a> work without it.</p>
<p>To build the console, run this in the repository, then load this page again after a restart:</p>
<pre>npm run build -w packages/console</pre>
</html>
`;
