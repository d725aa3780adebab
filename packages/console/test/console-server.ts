/** Serves the built console and the answers of `fixtures.ts`, checked against the schemas that the platform keeps. */

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

import {
  type ApiRouteName,
  apiRoutes,
  type ErrorCode,
  PlatformError,
  type Principal,
  type Role,
} from "@faultline/protocol";
import { Check } from "typebox/value";

import { caseDetail, overview, traceDetail, traceSummary } from "./fixtures.ts";

const pageSize = 20;
const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** What the next answers are; a test sets it as it needs. */
export interface Scene {
  role: Role;
  signedIn: boolean;
  empty: boolean;
  caseStatus: "open" | "proved" | "closed";
  listLength: number;
  failing: ErrorCode | undefined;
}

export interface ConsoleServer extends AsyncDisposable {
  readonly url: string;
  readonly scene: Scene;
  /** The requests to the API, as `GET /api/traces?status=error`. */
  readonly requests: string[];
}

/** Starts the server of the console that was built into `folder`, on a free port of the loopback. */
export async function startConsoleServer(folder: string): Promise<ConsoleServer> {
  const scene: Scene = {
    role: "admin",
    signedIn: true,
    empty: false,
    caseStatus: "open",
    listLength: 40,
    failing: undefined,
  };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void answer(request, { folder, scene, requests }).then((reply) => {
      response.writeHead(reply.status, {
        "content-type": reply.type,
        // The policy of the platform.
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      });
      response.end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    scene,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Reply {
  status: number;
  type: string;
  body: string | Buffer;
}

async function answer(
  request: IncomingMessage,
  { folder, scene, requests }: { folder: string; scene: Scene; requests: string[] },
): Promise<Reply> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (!url.pathname.startsWith("/api/")) return file(folder, url.pathname);
  const call = `${request.method} ${url.pathname}`;
  requests.push(`${call}${url.search}`);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  try {
    return answerCall(call, { url, body, scene });
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    return {
      status: error.row.status,
      type: "application/json",
      body: JSON.stringify(error.toBody()),
    };
  }
}

interface Question {
  url: URL;
  body: unknown;
  scene: Scene;
}

function answerCall(call: string, { url, body, scene }: Question): Reply {
  if (call === "POST /api/session") {
    const { key } = body as { key: string };
    if (!key.startsWith("fl_")) {
      throw new PlatformError("key_malformed", "The key is mistyped: it does not start with fl_.", {
        hint: "Copy it again from the terminal in which it was made.",
      });
    }
    scene.signedIn = true;
    return json("createSession", principal(scene));
  }
  if (!scene.signedIn)
    throw new PlatformError("key_missing", "No API key and no session came with the request.");
  if (call === "GET /api/session") return json("readSession", principal(scene));
  if (call === "DELETE /api/session") {
    scene.signedIn = false;
    return { status: 204, type: "text/plain", body: "" };
  }
  if (scene.failing !== undefined) {
    throw new PlatformError(scene.failing, "The database did not answer within 5 s.", {
      hint: "Run `faultline doctor` on the machine that runs Faultline.",
    });
  }
  return answerData(call, { url, body, scene });
}

function answerData(call: string, { url, scene }: Question): Reply {
  const detail = caseDetail(scene.caseStatus);
  switch (call) {
    case "GET /api/overview":
      return json(
        "readOverview",
        scene.empty
          ? emptyOverview()
          : { ...overview(), openCases: scene.caseStatus === "open" ? [detail.summary] : [] },
      );
    case "GET /api/services":
      return json("listServices", {
        services: scene.empty
          ? []
          : [
              {
                name: "posts-api",
                spanCount: 38_000,
                operations: ["POST /graphql", "query posts"],
              },
              { name: "web", spanCount: 824, operations: ["GET /"] },
            ],
      });
    case "GET /api/traces": {
      const from = Number(url.searchParams.get("cursor") ?? 0);
      const failed = url.searchParams.get("status") === "error";
      const count = scene.empty ? 0 : failed ? 3 : 60;
      const shown = Math.min(pageSize, count - from);
      return json("listTraces", {
        traces: Array.from({ length: shown }, (_, index) =>
          traceSummary(from + index, failed || (from + index) % 11 === 5),
        ),
        ...(from + shown < count ? { nextCursor: String(from + shown) } : {}),
      });
    }
    case "GET /api/cases":
      return json("listCases", { cases: scene.empty ? [] : [detail.summary] });
    case "POST /api/cases":
      return json("openCase", detail);
    default:
      break;
  }
  if (call.startsWith("GET /api/traces/")) return json("readTrace", traceDetail(scene.listLength));
  if (call.endsWith("/verify")) scene.caseStatus = "proved";
  if (call.endsWith("/close")) scene.caseStatus = "closed";
  return json("readCase", caseDetail(scene.caseStatus));
}

function principal(scene: Scene): Principal {
  return {
    tenantId: "default",
    keyId: "01980f2c-0000-7000-8000-000000000001",
    keyName: "admin",
    role: scene.role,
  };
}

function emptyOverview(): object {
  const { from, to } = overview();
  return {
    from,
    to,
    traffic: { count: 0, errorCount: 0, inputTokens: 0, outputTokens: 0, points: [] },
    edges: [],
    spanCount: 0,
    openCases: [],
  };
}

/** An answer that the platform could have given: one that breaks the route's schema fails the test. */
function json(route: ApiRouteName, value: unknown): Reply {
  const { reply } = apiRoutes[route];
  if (reply.kind !== "json") throw new Error(`${route} answers no JSON.`);
  // Ten thousand spans take seconds to check, and are as right as the first few.
  const checked = route === "readTrace" ? traceDetail() : value;
  if (!Check(reply.schema, checked)) {
    throw new Error(`The fixture for ${route} does not fit its schema.`);
  }
  return { status: reply.status, type: "application/json", body: JSON.stringify(value) };
}

async function file(folder: string, pathname: string): Promise<Reply> {
  const known = path.extname(pathname) in contentTypes;
  const name = known
    ? path.join(folder, path.normalize(pathname))
    : path.join(folder, "index.html");
  return {
    status: 200,
    type: contentTypes[path.extname(name)] ?? "application/octet-stream",
    body: await readFile(name),
  };
}
