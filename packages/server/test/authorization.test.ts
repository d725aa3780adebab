import {
  type ApiRoute,
  apiRouteNames,
  apiRoutes,
  ErrorBody,
  type Role,
  roleAllows,
  rolePermissions,
} from "@faultline/protocol";
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

const otlpRoutes: readonly ApiRoute[] = ["traces", "logs", "metrics"].map((kind) => ({
  method: "POST",
  path: `/v1/${kind}`,
  access: "telemetry:write",
  summary: "",
  reply: { kind: "empty", status: 204 },
}));
/** Every route that the control process serves, by a name for people. */
const everyRoute: readonly [string, ApiRoute][] = [
  ...apiRouteNames.map((name): [string, ApiRoute] => [name, apiRoutes[name]]),
  ...otlpRoutes.map((route): [string, ApiRoute] => [route.path, route]),
];
const guarded = everyRoute.filter(([, route]) => route.access !== "public");
const roles = Object.keys(rolePermissions) as Role[];

/** Calls a route with parameters that are well formed, and a body that is none. */
async function call(
  route: ApiRoute,
  key: string | undefined,
): Promise<{ status: number; code: string }> {
  const path = route.path
    .replace(":traceId", "0123456789abcdef0123456789abcdef")
    .replace(":snapshotId", `sha256:${"0".repeat(64)}`)
    .replace(":name", "support")
    .replace(":version", "newest")
    .replace(
      ":id",
      route.path.startsWith("/api/keys") ? "01980000-0000-7000-8000-000000000000" : "1",
    );
  const response = await control.fetch(path, {
    method: route.method,
    headers: {
      "content-type": "application/json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    ...(route.method === "POST" ? { body: "{}" } : {}),
  });
  const text = await response.text();
  return { status: response.status, code: codeIn(text) };
}

/** The code of an error body, or of the message of OTLP's. */
function codeIn(text: string): string {
  // An export is lines of JSON, and no error.
  const isDocument = text.startsWith("{") && !text.trimEnd().includes("\n");
  const body: unknown = isDocument ? JSON.parse(text) : undefined;
  if (Check(ErrorBody, body)) return body.error.code;
  if (typeof body === "object" && body !== null && "message" in body)
    return String(body.message).split(":")[0] ?? "";
  return "";
}

describe.each(guarded)("the route %s", (_name, route) => {
  it("refuses a request without a key", async () => {
    expect(await call(route, undefined)).toEqual({ status: 401, code: "key_missing" });
  });

  it.each([
    ["sk-something", "key_malformed"],
    ["mistyped", "key_malformed"],
    ["unknown", "key_unknown"],
    ["expired", "key_expired"],
    ["revoked", "key_revoked"],
  ] as const)("refuses a key that is %s", async (state, code) => {
    const key = state === "sk-something" ? state : control.keys[state];
    expect(await call(route, key)).toEqual({ status: 401, code });
  });

  it.each(roles)("lets the role %s pass exactly when it holds the permission", async (role) => {
    const { access } = route;
    const allowed = access === "signed-in" || (access !== "public" && roleAllows(role, access));
    const { status, code } = await call(route, control.keys.byRole[role]);
    if (allowed) expect([401, 403]).not.toContain(status);
    else expect({ status, code }).toEqual({ status: 403, code: "permission_denied" });
  });
});

describe("the table of routes", () => {
  it("leaves only the sign-in to everybody, and to other regions what is under their seal", () => {
    expect(
      everyRoute.filter(([, { access }]) => access === "public").map(([name]) => name),
    ).toEqual(["createSession", "exchangeRegions"]);
  });
});

describe("a key of another tenant", () => {
  const window = { from: new Date(Date.now() - 60_000).toISOString() };
  const { signal } = new AbortController();

  it("sees nothing of this tenant, and cannot tell it from nothing", async () => {
    const mine = control.client(control.keys.byRole.admin);
    const theirs = control.client(control.keys.otherTenant);
    const traceId = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    await sendSpan(control, control.keys.byRole.service, traceId);
    const opened = await mine.openCase(
      { body: { symptom: "slow", subject: { kind: "service", name: "orders" }, ...window } },
      { signal },
    );
    const snapshotId = opened.snapshots[0]?.id ?? "";
    const { number, id } = opened.summary;
    const [firstKey] = (await mine.listKeys({}, { signal })).keys;

    expect((await mine.readTrace({ params: { traceId } }, { signal })).spans).toHaveLength(1);
    expect((await mine.listCases({}, { signal })).cases).toHaveLength(1);

    expect((await theirs.listTraces({}, { signal })).traces).toEqual([]);
    expect((await theirs.listServices({}, { signal })).services).toEqual([]);
    expect((await theirs.listCases({}, { signal })).cases).toEqual([]);
    expect((await theirs.listKeys({}, { signal })).keys.map(({ name }) => name)).toEqual(["other"]);
    expect(await theirs.readOverview({}, { signal })).toMatchObject({
      spanCount: 0,
      edges: [],
      openCases: [],
    });

    const options = { signal };
    const bundle = { targets: [{ model: "simulated" }] };
    const support = { name: "support" };
    await mine.putBundle({ body: { name: "chat", bundle } }, options);
    await mine.putAlias({ body: { ...support, versions: [{ bundle: "chat" }] } }, options);
    await mine.kill({ body: { kind: "alias", ...support, reason: "x" } }, options);
    expect(await theirs.listBundles({}, options)).toEqual({ bundles: [] });
    expect(await theirs.listAliases({}, options)).toEqual({ aliases: [] });
    expect(await theirs.listKillSwitches({}, options)).toEqual({ killSwitches: [] });
    const newest = { name: "chat", version: "newest" };
    const attempts: Record<string, () => Promise<unknown>> = {
      readTrace: () => theirs.readTrace({ params: { traceId } }, options),
      readCaseByNumber: () => theirs.readCase({ params: { id: String(number) } }, options),
      readCaseById: () => theirs.readCase({ params: { id } }, options),
      verifyCase: () => theirs.verifyCase({ params: { id }, body: window }, options),
      addMitigation: () => theirs.addMitigation({ params: { id }, body: { text: "x" } }, options),
      closeCase: () => theirs.closeCase({ params: { id }, body: { reason: "x" } }, options),
      readReport: () => theirs.readReport({ params: { id } }, options),
      readCaseSnapshot: () => theirs.readCaseSnapshot({ params: { id, snapshotId } }, options),
      listBundleVersions: () => theirs.listBundleVersions({ params: { name: "chat" } }, options),
      readBundleVersion: () => theirs.readBundleVersion({ params: newest }, options),
      diffBundle: () => theirs.diffBundle({ params: { name: "chat" } }, options),
      putAlias: () =>
        theirs.putAlias({ body: { ...support, versions: [{ bundle: "chat" }] } }, options),
      readAlias: () => theirs.readAlias({ params: support }, options),
      rolloutAlias: () => theirs.rolloutAlias({ params: support, body: {} }, options),
      rollbackAlias: () => theirs.rollbackAlias({ params: support, body: {} }, options),
      kill: () => theirs.kill({ body: { kind: "alias", ...support, reason: "x" } }, options),
      revive: () => theirs.revive({ body: { kind: "alias", ...support } }, options),
      revokeKey: () => theirs.revokeKey({ params: { id: firstKey?.id ?? "" } }, options),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      await expect(attempt(), name).rejects.toMatchObject({ code: "not_found" });
    }
    expect((await mine.readCase({ params: { id } }, options)).summary.status).toBe("open");
  });
});

async function sendSpan(to: TestControl, key: string, traceId: string): Promise<void> {
  const start = BigInt(Date.now() - 1_000) * 1_000_000n;
  const span = {
    traceId,
    spanId: "bbbbbbbbbbbbbbbb",
    name: "GET /orders",
    kind: 2,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 5_000_000n),
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] };
  const response = await to.fetch("/v1/traces", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({
      resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "t" }, spans: [span] }] }],
    }),
  });
  expect(response.status).toBe(200);
}
