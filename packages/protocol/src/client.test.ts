import { describe, expect, it } from "vitest";

import { createClient } from "./client.ts";
import { PlatformError } from "./errors.ts";
import { apiRouteNames, apiRoutes } from "./routes.ts";

const signal = new AbortController().signal;

interface Sent {
  url: string;
  method: string | undefined;
  headers: Headers;
  body: unknown;
}

/** A fetch that answers each call with what the test gives it, and remembers what was sent. */
function answering(answer: (sent: Sent) => Response | Promise<Response>): {
  fetch: typeof globalThis.fetch;
  sent: Sent[];
} {
  const sent: Sent[] = [];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const request = {
      url: typeof url === "string" ? url : "not a text",
      method: init?.method,
      headers: new Headers(init?.headers),
      body: init?.body,
    };
    sent.push(request);
    init?.signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    init?.signal?.addEventListener("abort", () => aborted.reject(init.signal?.reason));
    return Promise.race([answer(request), aborted.promise]);
  };
  return { fetch, sent };
}

const principal = {
  tenantId: "default",
  keyId: "01980000-0000-7000-8000-000000000000",
  keyName: "laptop",
  role: "admin",
} as const;

async function errorOf(work: Promise<unknown>): Promise<PlatformError> {
  const caught: unknown = await work.then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );
  if (caught instanceof PlatformError) return caught;
  throw caught;
}

describe("the client", () => {
  it("has a method for every route", () => {
    const client = createClient({ baseUrl: "", fetch });
    expect(Object.keys(client)).toEqual(apiRouteNames);
  });

  it("sends the key, the path, the query and the body", async () => {
    const { fetch, sent } = answering(() => Response.json(principal));
    const client = createClient({ baseUrl: "http://127.0.0.1:4600/", key: "fl_x", fetch });
    await errorOf(
      client.addMitigation({ params: { id: "7" }, body: { text: "rolled back" } }, { signal }),
    );
    await errorOf(client.listTraces({ query: { service: "a b", limit: 5 } }, { signal }));
    expect(sent.map(({ url }) => url)).toEqual([
      "http://127.0.0.1:4600/api/cases/7/mitigations",
      "http://127.0.0.1:4600/api/traces?service=a+b&limit=5",
    ]);
    expect(sent[0]).toMatchObject({ method: "POST", body: '{"text":"rolled back"}' });
    expect(sent[0]?.headers.get("authorization")).toBe("Bearer fl_x");
    expect(sent[1]?.headers.has("content-type")).toBe(false);
  });

  it("cannot be led to another path by a parameter", async () => {
    const { fetch, sent } = answering(() => Response.json(principal));
    await errorOf(
      createClient({ baseUrl: "http://h", fetch }).readCase(
        { params: { id: "../../keys?x#y" } },
        { signal },
      ),
    );
    expect(sent[0]?.url).toBe("http://h/api/cases/..%2F..%2Fkeys%3Fx%23y");
  });

  it("gives what a route answers, in the form that its table says", async () => {
    const json = createClient({
      baseUrl: "",
      fetch: answering(() => Response.json(principal)).fetch,
    });
    expect(await json.readSession({}, { signal })).toEqual(principal);
    const empty = createClient({
      baseUrl: "",
      fetch: answering(() => new Response(null, { status: 204 })).fetch,
    });
    expect(await empty.deleteSession({}, { signal })).toBeUndefined();
    const text = createClient({
      baseUrl: "",
      fetch: answering(() => new Response("# Case")).fetch,
    });
    expect(await text.readReport({ params: { id: "1" } }, { signal })).toBe("# Case");
    const bytes = createClient({
      baseUrl: "",
      fetch: answering(() => new Response(new Uint8Array([1, 2]))).fetch,
    });
    const params = { id: "1", snapshotId: `sha256:${"0".repeat(64)}` };
    expect(await bytes.readCaseSnapshot({ params }, { signal })).toEqual(new Uint8Array([1, 2]));
  });

  it("throws the error that the server sent, with its hint and place", async () => {
    const body = {
      error: {
        code: "request_invalid",
        message: "no",
        retryable: false,
        hint: "do",
        where: "body /x",
      },
    };
    const { fetch } = answering(() => Response.json(body, { status: 400 }));
    const error = await errorOf(createClient({ baseUrl: "", fetch }).listKeys({}, { signal }));
    expect(error).toMatchObject({
      code: "request_invalid",
      message: "no",
      hint: "do",
      where: "body /x",
    });
  });

  it("says so when something else answers", async () => {
    const page = answering(() => new Response("<html>", { status: 502 }));
    expect(
      await errorOf(createClient({ baseUrl: "", fetch: page.fetch }).listKeys({}, { signal })),
    ).toMatchObject({
      code: "control_unavailable",
      message: expect.stringContaining("502"),
    });
    const strange = answering(() => Response.json({ keys: "none" }));
    expect(
      (await errorOf(createClient({ baseUrl: "", fetch: strange.fetch }).listKeys({}, { signal })))
        .code,
    ).toBe("internal");
  });

  it("says so when nothing answers, and how to start it", async () => {
    const { fetch } = answering(() => Promise.reject(new TypeError("fetch failed")));
    const error = await errorOf(
      createClient({ baseUrl: "http://127.0.0.1:4600", fetch }).listKeys({}, { signal }),
    );
    expect(error).toMatchObject({
      code: "control_unavailable",
      hint: expect.stringContaining("faultline up"),
    });
  });

  it("gives up at its deadline", async () => {
    const { fetch } = answering(() => new Promise<Response>(() => {}));
    const error = await errorOf(
      createClient({ baseUrl: "", fetch, deadlineMs: 5 }).listKeys({}, { signal }),
    );
    expect(error).toMatchObject({
      code: "control_unavailable",
      message: expect.stringContaining("within 5 ms"),
    });
  });

  it("stops with the caller's own reason when the caller stops it", async () => {
    const { fetch } = answering(() => new Promise<Response>(() => {}));
    const stop = new AbortController();
    const call = createClient({ baseUrl: "", fetch }).listKeys({}, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });
});

describe("the table of routes", () => {
  it("has one route for a method and path, with a schema for every parameter of the path", () => {
    const seen = apiRouteNames.map((name) => `${apiRoutes[name].method} ${apiRoutes[name].path}`);
    expect(new Set(seen).size).toBe(seen.length);
    for (const name of apiRouteNames) {
      const route = apiRoutes[name];
      const inPath = [...route.path.matchAll(/:([A-Za-z]+)/g)].map(([, parameter]) => parameter);
      const inSchema = "params" in route ? Object.keys(route.params.properties) : [];
      expect(inSchema, name).toEqual(inPath);
    }
  });
});
