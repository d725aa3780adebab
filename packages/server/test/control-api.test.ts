import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as startRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { ErrorBody, PlatformError } from "@faultline/protocol";
import { Check } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

let control: TestControl;
beforeAll(async () => {
  control = await openTestControl();
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly error: { code: string; message: string; hint?: string; where?: string } | undefined;
}

async function ask(target: string, init: RequestInit & { key?: string } = {}): Promise<Answer> {
  const { key = control.keys.byRole.admin, ...rest } = init;
  const headers = {
    ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
    ...(rest.headers as Record<string, string> | undefined),
  };
  const response = await control.fetch(target, { ...rest, headers });
  const text = await response.text();
  const body: unknown = text.startsWith("{") ? JSON.parse(text) : undefined;
  return {
    status: response.status,
    headers: response.headers,
    text,
    error: Check(ErrorBody, body) ? body.error : undefined,
  };
}

function post(target: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(target, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("a body", () => {
  it("that is not JSON is refused with the place where it breaks", async () => {
    const { status, error } = await post("/api/keys", '{"name": }');
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: "request_malformed", where: "body" });
    expect((await post("/api/keys", '{"name": "a",}')).error).toMatchObject({
      where: "body character 13",
    });
  });

  it("that is empty, cut or no UTF-8 is refused", async () => {
    expect((await post("/api/keys", "")).error?.code).toBe("request_malformed");
    expect((await post("/api/keys", '{"name":')).error?.code).toBe("request_malformed");
    const latin = await ask("/api/keys", {
      method: "POST",
      body: new Uint8Array([0x22, 0xe9, 0x22]),
      headers: { "content-type": "application/json" },
    });
    expect(latin.error).toMatchObject({
      code: "request_malformed",
      message: expect.stringContaining("UTF-8"),
    });
  });

  it("that breaks its schema is refused with a pointer for every fault", async () => {
    const { status, error } = await post("/api/keys", '{"name":"","role":"king","exp":1}');
    expect(status).toBe(400);
    expect(error?.code).toBe("request_invalid");
    expect(error?.message).toContain("`exp`");
    expect(error?.message).toContain("body /name");
    expect(error?.message).toContain("body /role is none of the allowed values");
    expect(error?.hint).toContain("name, role, expiresInSeconds");
  });

  it("that names a field twice is refused, for readers disagree on which one counts", async () => {
    const { status, error } = await post(
      "/api/keys",
      '{"name":"twice","role":"viewer","role":"admin"}',
    );
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: "request_malformed", where: "body character 32" });
  });

  it("cannot smuggle a prototype", async () => {
    expect(
      (await post("/api/keys", '{"name":"a","role":"viewer","__proto__":{"x":1}}')).error?.code,
    ).toBe("request_invalid");
  });

  it("of another media type is refused", async () => {
    const { status, error } = await post("/api/keys", "name=a", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect({ status, code: error?.code }).toEqual({ status: 415, code: "media_type_unsupported" });
  });

  it("beyond the limit is refused", async () => {
    const { status, error } = await post(
      "/api/keys",
      JSON.stringify({ name: "x".repeat(1_100_000), role: "viewer" }),
    );
    expect({ status, code: error?.code }).toEqual({ status: 413, code: "request_too_large" });
  });

  it("of 100 MB is refused before it is sent", async () => {
    const { status, sentBytes } = await sendEndlessly({ "content-length": "100000000" });
    expect(status).toBe(413);
    expect(sentBytes).toBeLessThan(20_000_000);
  });

  it("of 100 MB without an announced length is refused at the limit, and without a key at once", async () => {
    const limited = await sendEndlessly({});
    expect(limited.status).toBe(413);
    expect(limited.sentBytes).toBeLessThan(60_000_000);
    expect((await sendEndlessly({ authorization: "" })).status).toBe(401);
  });

  it("gets its answer even when the sender reads none before all is sent", async () => {
    const socket = connect(control.socketPath);
    socket.pause();
    const head = [
      "POST /v1/traces HTTP/1.1",
      "host: 127.0.0.1",
      `authorization: Bearer ${control.keys.byRole.service}`,
      "content-type: application/x-protobuf",
      "content-length: 100000000",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    const chunk = Buffer.alloc(1_000_000);
    for (let count = 0; count < 100; count += 1) {
      if (!socket.write(chunk)) await once(socket, "drain");
    }
    let answer = "";
    for await (const part of socket) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });
});

/** Sends up to 100 MB to the path for traces, until an answer comes. */
async function sendEndlessly(
  headers: Record<string, string>,
): Promise<{ status: number | undefined; sentBytes: number }> {
  const answered = Promise.withResolvers<number | undefined>();
  const over = new AbortController();
  const request = startRequest({
    socketPath: control.socketPath,
    method: "POST",
    path: "/v1/traces",
    headers: {
      host: "127.0.0.1",
      authorization: `Bearer ${control.keys.byRole.service}`,
      "content-type": "application/x-protobuf",
      ...headers,
    },
  });
  request.on("response", (response) => {
    answered.resolve(response.statusCode);
    over.abort();
  });
  request.on("error", answered.reject);
  request.on("close", () => over.abort());
  const chunk = Buffer.alloc(1_000_000);
  let sentBytes = 0;
  while (sentBytes < 100_000_000 && !over.signal.aborted) {
    sentBytes += chunk.length;
    if (!request.write(chunk))
      await once(request, "drain", { signal: over.signal }).catch(() => {});
  }
  const status = await answered.promise;
  request.destroy();
  return { status, sentBytes };
}

describe("a query or a path", () => {
  it("is read as numbers and refused when it is none", async () => {
    expect((await ask("/api/traces?limit=5")).status).toBe(200);
    expect((await ask("/api/traces?limit=many")).error).toMatchObject({
      code: "request_invalid",
      where: "query /limit",
    });
    expect((await ask("/api/traces?limit=0")).error?.code).toBe("request_invalid");
    expect((await ask("/api/traces?limit=1&limit=2")).error?.code).toBe("request_invalid");
    expect((await ask("/api/traces?lmit=5")).error?.message).toContain("`lmit`");
    expect((await ask("/api/traces?from=yesterday")).error).toMatchObject({ where: "query /from" });
  });

  it("with a parameter that is no id is refused", async () => {
    expect((await ask("/api/traces/xyz")).error).toMatchObject({
      code: "request_invalid",
      where: "params /traceId",
    });
    expect((await ask(`/api/cases/${"9".repeat(500)}`)).error?.code).toBe("request_too_large");
    expect((await ask("/api/cases/%zz")).error?.code).toBe("request_malformed");
  });

  it("with the character NUL is refused at its place, as is a body", async () => {
    for (const name of ["service", "operation"]) {
      const { status, error } = await ask(`/api/traces?${name}=a%00b`);
      expect([status, error?.code, error?.where]).toEqual([
        400,
        "request_invalid",
        `query /${name}`,
      ]);
    }
    expect((await ask("/api/cases/a%00b")).status).toBe(400);
    const key = await post("/api/keys", '{"name":"a\\u0000b","role":"viewer"}');
    expect([key.status, key.error?.where]).toEqual([400, "body /name"]);
    const subject = '{"kind":"service","name":"orders\\u0000"}';
    const opened = await post(
      "/api/cases",
      `{"symptom":"slow","subject":${subject},"from":"2026-01-01T00:00:00Z"}`,
    );
    expect([opened.status, opened.error?.where]).toEqual([400, "body /subject/name"]);
  });

  it("with a time or a cursor beyond all telemetry is refused", async () => {
    for (const name of ["from", "to"]) {
      for (const time of ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"]) {
        const { status, error } = await ask(`/api/traces?${name}=${time}`);
        expect([status, error?.where]).toEqual([400, `query /${name}`]);
      }
    }
    for (const text of [
      "9999999999999999999 00000000-0000-0000-0000-000000000000",
      "1 ------------------------------------",
    ]) {
      const cursor = Buffer.from(text).toString("base64url");
      expect((await ask(`/api/traces?cursor=${cursor}`)).status).toBe(400);
    }
    expect((await ask("/api/traces?from=2200-01-01T00:00:00Z")).status).toBe(200);
  });

  it("that does not exist says so, and a method that it lacks too", async () => {
    expect(await ask("/api/nothing")).toMatchObject({ status: 404, error: { code: "not_found" } });
    const wrong = await ask("/api/keys", { method: "PUT" });
    expect(wrong).toMatchObject({ status: 405, error: { code: "method_not_allowed" } });
    expect(wrong.headers.get("allow")).toBe("GET, HEAD, POST");
    expect((await ask("/v1/traces")).status).toBe(405);
  });

  it("names what is absent", async () => {
    expect((await ask(`/api/traces/${"0".repeat(32)}`)).error).toMatchObject({ code: "not_found" });
    expect((await ask("/api/cases/99")).error).toMatchObject({ code: "not_found" });
  });
});

describe("a session", () => {
  const page = { origin: "http://127.0.0.1:4600", host: "127.0.0.1:4600" };

  async function signIn(key = control.keys.byRole.engineer): Promise<Answer> {
    return ask("/api/session", {
      key: "",
      method: "POST",
      body: JSON.stringify({ key }),
      headers: { "content-type": "application/json", origin: page.origin },
    });
  }

  function cookieOf(answer: Answer): string {
    return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  }

  it("begins with a key, in a cookie that scripts and other sites do not get", async () => {
    const answer = await signIn();
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({ tenantId: "default", role: "engineer" });
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^faultline_session=[\w-]{43};/);
    expect(cookie).toContain("HttpOnly");
    expect(cookie).toContain("SameSite=Strict");
    expect(cookie).not.toContain("Secure");
    const read = await ask("/api/session", { key: "", headers: { cookie: cookieOf(answer) } });
    expect(JSON.parse(read.text)).toMatchObject({ keyName: "engineer" });
  });

  it("does not begin with a wrong key", async () => {
    expect((await signIn(control.keys.mistyped)).error?.code).toBe("key_malformed");
    expect((await signIn(control.keys.unknown)).error?.code).toBe("key_unknown");
  });

  it("changes things only from the page of this server", async () => {
    const cookie = cookieOf(await signIn());
    const body = JSON.stringify({ text: "x" });
    const change = (headers: Record<string, string>): Promise<Answer> =>
      ask("/api/cases/99/mitigations", {
        key: "",
        method: "POST",
        body,
        headers: { cookie, "content-type": "application/json", ...headers },
      });
    expect((await change({ origin: page.origin })).error?.code).toBe("not_found");
    expect((await change({ origin: "https://evil.example" })).error).toMatchObject({
      code: "origin_refused",
    });
    expect((await change({})).error).toMatchObject({ code: "origin_refused" });
  });

  it("ends when it is deleted, and when its key is revoked", async () => {
    const cookie = cookieOf(await signIn());
    const headers = { cookie, origin: page.origin };
    expect((await ask("/api/session", { key: "", method: "DELETE", headers })).status).toBe(204);
    expect((await ask("/api/session", { key: "", headers })).error?.code).toBe("key_missing");

    const admin = control.client(control.keys.byRole.admin);
    const { signal } = new AbortController();
    const { key, secret } = await admin.createKey(
      { body: { name: "brief", role: "viewer" } },
      { signal },
    );
    const brief = cookieOf(await signIn(secret));
    expect((await ask("/api/session", { key: "", headers: { cookie: brief } })).status).toBe(200);
    await admin.revokeKey({ params: { id: key.id } }, { signal });
    expect((await ask("/api/session", { key: "", headers: { cookie: brief } })).error?.code).toBe(
      "key_revoked",
    );
  });
});

/** Status and code of a request with a Host header of its own, which fetch does not allow. */
async function askAs(host: string, target: string): Promise<string> {
  const answered = Promise.withResolvers<string>();
  const request = startRequest(
    { socketPath: control.socketPath, path: target, headers: { host } },
    (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () =>
        answered.resolve(`${response.statusCode} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ""}`),
      );
    },
  );
  request.on("error", answered.reject);
  request.end();
  return answered.promise;
}

describe("a page of somebody else", () => {
  it("cannot reach the server under another name", async () => {
    expect(await askAs("evil.example", "/api/session")).toBe("403 origin_refused");
    expect(await askAs("evil.example", "/")).toBe("403 origin_refused");
    expect(await askAs("localhost:4600", "/api/session")).toBe("401 key_missing");
    expect(await askAs("evil.example", "/livez")).toBe("200 ");
  });
});

describe("every answer", () => {
  it.each(["/", "/api/openapi.json", "/api/nothing", "/livez"])(
    "to %s forbids what a page does not need",
    async (target) => {
      const { headers } = await ask(target, { key: "", headers: { accept: "text/html" } });
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    },
  );
});

describe("a fault of our own", () => {
  it("is answered with an id that stands in the log, and without its details", async () => {
    await using broken = await openTestControl({
      replace: ({ telemetry }) => ({
        telemetry: Object.assign(Object.create(telemetry) as typeof telemetry, {
          listServices: () => Promise.reject(new Error("a secret detail")),
          listTraces: () =>
            Promise.reject(
              new PlatformError("database_unavailable", "It is away.", { context: { host: "db" } }),
            ),
        }),
      }),
    });
    const headers = { authorization: `Bearer ${broken.keys.byRole.admin}` };
    const internal = await broken.fetch("/api/services", { headers });
    const text = await internal.text();
    expect(internal.status).toBe(500);
    expect(text).not.toContain("secret detail");
    const id = /[0-9a-f-]{36}/.exec(text)?.[0] ?? "no id";
    expect(
      broken.log.filter((line) => line.includes(id) && line.includes("a secret detail")),
    ).toHaveLength(1);

    const away = await broken.fetch("/api/traces", { headers });
    expect(away.status).toBe(503);
    expect(away.headers.get("retry-after")).toBe("1");
    expect(await away.json()).toMatchObject({
      error: { code: "database_unavailable", retryable: true },
    });
    expect((await broken.fetch("/livez")).status).toBe(200);
  });
});

describe("the probes and metrics", () => {
  it("need no key", async () => {
    expect(await (await control.fetch("/livez")).json()).toEqual({ status: "ok" });
    expect((await control.fetch("/readyz")).status).toBe(200);
    const metrics = await (await control.fetch("/metrics")).text();
    expect(metrics).toContain(
      'faultline_control_request_seconds_count{route="/livez",method="GET",status="200"}',
    );
    expect(metrics).toContain("# from the gateway");
    expect(metrics).not.toContain("default");
  });

  it("say what is not ready", async () => {
    const checks = [{ name: "database", ready: false, detail: "away" }];
    await using unready = await openTestControl({
      replace: () => ({ readiness: async () => ({ ready: false, checks }) }),
    });
    const response = await unready.fetch("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, checks });
  });
});

describe("the console", () => {
  it("that is not built is a page that says how to build it", async () => {
    const page = await ask("/traces", { key: "", headers: { accept: "text/html" } });
    expect(page.status).toBe(200);
    expect(page.text).toContain("npm run build -w packages/console");
  });

  it("that is built answers its files, and its page for every path of its own", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "faultline-console-"));
    await writeFile(path.join(folder, "index.html"), "<title>the console</title>");
    await writeFile(path.join(folder, "icon.svg"), "<svg/>");
    await using built = await openTestControl({ consoleFolder: folder });
    const read = async (target: string, accept = "text/html"): Promise<string> => {
      const response = await built.fetch(target, { headers: { accept } });
      return `${response.status} ${await response.text()}`;
    };
    expect(await read("/")).toBe("200 <title>the console</title>");
    expect(await read("/cases/7")).toBe("200 <title>the console</title>");
    expect(await read("/icon.svg", "*/*")).toBe("200 <svg/>");
    expect(await read("/absent.js", "*/*")).toContain("404");
    expect(await read("/..%2f..%2fetc%2fpasswd", "*/*")).toMatch(/^40[034] /);
    expect(await read("/api/nothing")).toContain("404");
    await rm(folder, { recursive: true });
  });
});

describe("the OpenAPI document", () => {
  it("is served to everybody and describes every route", async () => {
    const document: unknown = JSON.parse((await ask("/api/openapi.json", { key: "" })).text);
    expect(document).toMatchObject({
      openapi: "3.1.0",
      paths: { "/api/cases/{id}/verify": { post: { operationId: "verifyCase" } } },
    });
  });
});
