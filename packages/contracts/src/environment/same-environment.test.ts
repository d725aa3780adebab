import * as fc from "fast-check";
import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import type { EnvironmentContent, EvidenceContent, KubernetesObject } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Attributes, Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { redactSnapshot } from "../snapshot/redact.ts";
import { sameEnvironment } from "./same-environment.ts";

const source = { name: "x", format: "x", notes: [] };

function snapshotOf(...contents: EvidenceContent[]): Snapshot {
  return createSnapshot(contents.map((content) => ({ source, content })));
}

function environment(name: string, facts: Record<string, string>): EnvironmentContent {
  return { kind: "environment", name, facts };
}

function check(snapshot: Snapshot): Finding[] {
  const findings = sameEnvironment.check(snapshot);
  for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
  return findings;
}

const common = { "env.A": "1", "env.B": "2", "env.C": "3", "env.D": "4", "runtime.node": "20.1.0" };

/** Two environments that differ in `left` and `right`, of which the second says that it is meant to be like the first. */
function meantAlike(left: Record<string, string>, right: Record<string, string>): Snapshot {
  return snapshotOf(
    environment("production", { ...common, ...left }),
    environment("staging", { ...common, ...right, sameAs: "production" }),
  );
}

describe("environments that are meant to be alike", () => {
  it.each([
    ["a locale", { "env.LANG": "de_DE.UTF-8" }, { "env.LANG": "C" }, "env.LANG"],
    ["a time zone", { timezone: "Europe/Berlin" }, { timezone: "UTC" }, "timezone"],
    ["a name's case", { "env.Api_Base": "x" }, { "env.API_BASE": "x" }, "env.Api_Base"],
    ["a value's case", { "env.TENANT": "Acme" }, { "env.TENANT": "acme" }, "env.TENANT"],
    ["a flag", { "feature_flag.cart": "on" }, { "feature_flag.cart": "off" }, "feature_flag.cart"],
    ["a switch", { "env.STRICT": "true" }, { "env.STRICT": "false" }, "env.STRICT"],
    [
      "a runtime's major version",
      { "runtime.node": "20.1.0" },
      { "runtime.node": "18.4.0" },
      "runtime.node",
    ],
    [
      "a library's major version",
      { "python.package.x": "2.0.1" },
      { "python.package.x": "1.9" },
      "python.package.x",
    ],
    ["a variable that one lacks", { "env.DEPLOY_ENV": "prod" }, {}, "env.DEPLOY_ENV"],
    ["a platform", { "host.arch": "x86_64" }, { "host.arch": "arm64" }, "host.arch"],
    ["the shape of data", { "schema.version": "41" }, { "schema.version": "42" }, "schema.version"],
  ])("are violated by %s", (...given) => {
    const [, left, right, name] = given;
    const [finding] = check(meantAlike(left, right));
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "environments", name: "production ~ staging" },
    });
    expect(finding?.title).toContain(name);
    expect(finding?.nextChecks[0]?.toLowerCase()).toContain(name.toLowerCase());
    expect(finding?.fixes).toHaveLength(1);
    expect(finding?.evidence.length).toBeGreaterThan(0);
  });

  it.each([
    ["nothing", {}, {}],
    [
      "what names the place",
      { "env.HOSTNAME": "a", "env.DB_HOST": "a", "env.BASE_URL": "a" },
      { "env.HOSTNAME": "b", "env.DB_HOST": "b", "env.BASE_URL": "b" },
    ],
    ["secrets", { "env.API_TOKEN": "a" }, { "env.API_TOKEN": "b" }],
    [
      "another spelling",
      {
        "env.LANG": "en_US.UTF-8",
        timezone: "Etc/UTC",
        "host.arch": "amd64",
        "os.version": "v1.2",
      },
      { "env.LANG": "en_US.utf8", timezone: "UTC", "host.arch": "x86_64", "os.version": "1.2.0" },
    ],
    ["a level of logging", { "env.LOG_LEVEL": "info" }, { "env.LOG_LEVEL": "debug" }],
    ["a patch of a library", { "npm.package.x": "1.2.3" }, { "npm.package.x": "1.2.4" }],
  ])("hold although they differ in %s", (_, left, right) => {
    expect(check(meantAlike(left, right))).toMatchObject([{ verdict: "holds" }]);
  });

  it("are not proved alike by few facts", () => {
    const few = snapshotOf(
      environment("a", { "env.X": "1" }),
      environment("b", { "env.X": "1", sameAs: "a" }),
    );
    expect(check(few)).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("are named by an option as well", () => {
    const snapshot = snapshotOf(
      environment("a", { ...common, "env.LANG": "C" }),
      environment("b", { ...common, "env.LANG": "de_DE.UTF-8" }),
    );
    expect(check(snapshot)).toMatchObject([{ verdict: "inconclusive" }]);
    expect(sameEnvironment.with({ alike: ["a", "b"] }).check(snapshot)).toMatchObject([
      { verdict: "violated", causeKind: "configuration" },
    ]);
  });

  it("list the surest sign first", () => {
    const [finding] = check(
      meantAlike(
        { "env.POOL_SIZE": "5", "env.LANG": "C", "python.package.x": "1.0" },
        { "env.POOL_SIZE": "9", "env.LANG": "de_DE.UTF-8", "python.package.x": "2.0" },
      ),
    );
    expect(finding?.actual).toMatch(/1\. env\.LANG .*2\. python\.package\.x .*3\. env\.POOL_SIZE /);
  });

  it("tell one locale once, and of a runtime what it brings along not at all", () => {
    const locale = (value: string) => ({
      "locale.LANG": value,
      "locale.LC_TIME": value,
      "locale.LC_ALL": value,
    });
    const [finding] = check(
      meantAlike(
        { ...locale("C"), "runtime.node": "20.1.0", "runtime.uv": "1.46" },
        { ...locale("de_DE.UTF-8"), "runtime.node": "18.1.0", "runtime.uv": "1.44" },
      ),
    );
    expect(finding?.measures["differencesListedCount"]).toBe(2);
    expect(finding?.title).toContain("and 2 more of the same");
  });
});

describe("what concerns nobody", () => {
  it.each([
    ["one environment", snapshotOf(environment("a", { ...common, "env.LANG": "C" }))],
    [
      "environments with nothing in common",
      snapshotOf(environment("a", { "env.X": "1" }), environment("b", { "python.package.y": "1" })),
    ],
    ["no environment", snapshotOf()],
  ])("is %s", (_, snapshot) => {
    expect(check(snapshot)).toEqual([]);
  });
});

/** Requests of one operation, of which some fail, in an environment with the given resource. */
function requests(
  name: string,
  {
    count,
    failed,
    more = {},
    seed,
  }: { count: number; failed: number; more?: Attributes; seed: number },
): EvidenceContent[] {
  return Array.from({ length: count }, (_, index): EvidenceContent => {
    const traceId = (seed * 1_000 + index + 1).toString(16).padStart(32, "0");
    const span: Span = {
      traceId,
      spanId: (index + 1).toString(16).padStart(16, "0"),
      name: "GET /orders",
      kind: "server",
      service: "orders",
      startMicros: 1e15 + index,
      durationNanos: 1_000,
      status: index < failed ? { code: "error", message: "invalid date" } : { code: "unset" },
      attributes: {},
      resource: { "service.name": "orders", "deployment.environment.name": name, ...more },
      scope: { name: "" },
      events: [],
      links: [],
    };
    return { kind: "trace", traceId, spans: [span] };
  });
}

describe("environments of which one fails", () => {
  const failing = requests("staging", {
    count: 20,
    failed: 8,
    more: { "process.runtime.version": "18.0.0" },
    seed: 1,
  });
  const healthy = requests("production", {
    count: 20,
    failed: 0,
    more: { "process.runtime.version": "20.0.0" },
    seed: 2,
  });

  it("are violated by what may explain it", () => {
    const [finding] = check(snapshotOf(...failing, ...healthy));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "dependency" });
    expect(finding?.actual).toContain("8 of 20 requests of orders GET /orders failed in staging");
    expect(finding?.fixes[0]?.description).toBe(
      "Give staging the orders process.runtime.version of production: 20.0.0.",
    );
    expect(finding?.evidence[0]?.quote).toBe("invalid date");
  });

  it("join what else is told of them by name", () => {
    const facts = [
      environment("staging", { "env.LANG": "C" }),
      environment("production", { "env.LANG": "de_DE.UTF-8" }),
    ];
    const [finding] = check(snapshotOf(...failing, ...healthy, ...facts));
    expect(finding?.title).toContain("env.LANG");
  });

  it("stay inconclusive where nothing explains it, and where both fail or few requests were seen", () => {
    const same = requests("staging", {
      count: 20,
      failed: 8,
      more: { "process.runtime.version": "20.0.0" },
      seed: 3,
    });
    expect(check(snapshotOf(...same, ...healthy))).toMatchObject([{ verdict: "inconclusive" }]);
    const alsoFailing = requests("production", {
      count: 20,
      failed: 2,
      more: { "process.runtime.version": "20.0.0" },
      seed: 4,
    });
    expect(check(snapshotOf(...failing, ...alsoFailing))).toMatchObject([
      { verdict: "inconclusive" },
    ]);
    const few = requests("production", {
      count: 4,
      failed: 0,
      more: { "process.runtime.version": "20.0.0" },
      seed: 5,
    });
    expect(check(snapshotOf(...failing, ...few))).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("believe an outcome that the evidence tells", () => {
    const snapshot = snapshotOf(
      environment("ci", { outcome: "failed", "env.TZ": "UTC" }),
      environment("laptop", { outcome: "passed", "env.TZ": "Europe/Berlin" }),
    );
    expect(check(snapshot)).toMatchObject([
      { verdict: "violated", measures: { heaviestWeight: 9 } },
    ]);
  });

  it("explain less by a value that another healthy environment shares", () => {
    const other = requests("canary", {
      count: 20,
      failed: 0,
      more: { "process.runtime.version": "18.0.0" },
      seed: 6,
    });
    const findings = check(snapshotOf(...failing, ...healthy, ...other));
    expect(findings.map(({ verdict }) => verdict)).toEqual(["inconclusive", "inconclusive"]);
  });
});

describe("namespaces", () => {
  const deployment = (namespace: string, image: string, env: object[]): KubernetesObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace },
    spec: { template: { spec: { containers: [{ name: "app", image, env }] } } },
  });
  const config = (namespace: string, data: object): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "feature-flags", namespace },
    data,
  });
  const cluster = (...objects: KubernetesObject[]): Snapshot =>
    snapshotOf({ kind: "kubernetes", objects });

  it("of one application are compared by images, variables and flags", () => {
    const [finding] = check(
      cluster(
        deployment("shop-prod", "r/web:1.2", [{ name: "CACHE", value: "on" }]),
        deployment("shop-staging", "r/web:1.3", [{ name: "CACHE", value: "off" }]),
        config("shop-prod", { cart: "true" }),
        config("shop-staging", { cart: "false" }),
      ),
    );
    expect(finding).toMatchObject({
      verdict: "inconclusive",
      subject: { name: "shop-prod ~ shop-staging" },
    });
    expect(finding?.actual).toMatch(/1\. configmap\/feature-flags cart .*env\.CACHE.*image\.tag/);
    expect(finding?.evidence[0]?.locator).toBe("ConfigMap/shop-prod/feature-flags");
  });

  it("of other applications, and workloads of one namespace, are left alone", () => {
    expect(
      check(
        cluster(
          deployment("shop-prod", "r/web:1.2", []),
          deployment("blog-staging", "r/web:2.0", []),
          deployment("monitoring", "r/web:3.0", []),
        ),
      ),
    ).toEqual([]);
  });
});

describe("any order, repetition and redaction", () => {
  it("change nothing", () => {
    const contents = [
      environment("production", { ...common, "env.LANG": "C", "env.API_TOKEN": "abcdefgh" }),
      environment("staging", {
        "env.LANG": "de_DE.UTF-8",
        ...common,
        sameAs: "production",
        "env.API_TOKEN": "ijklmnop",
      }),
      environment("production", { "python.package.x": "1.0" }),
    ];
    const findings = check(snapshotOf(...contents));
    expect(check(snapshotOf(...contents.toReversed(), ...contents))).toEqual(findings);
    const [redacted] = check(redactSnapshot(snapshotOf(...contents)).snapshot);
    expect({ ...redacted, evidence: [] }).toEqual({ ...findings[0], evidence: [] });
    expect(JSON.stringify(findings)).not.toMatch(/abcdefgh|ijklmnop/);
  });
});

describe("any facts", () => {
  const value = fc.oneof(
    fc.constantFrom(
      "",
      "1",
      "1.2.3",
      "v2",
      "true",
      "off",
      "C",
      "en_US.UTF-8",
      "failed",
      "passed",
      "A",
      "a",
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  const name = fc.oneof(
    fc.constantFrom(
      "env.LANG",
      "env.lang",
      "runtime.node",
      "sameAs",
      "outcome",
      "a b",
      "feature_flag.x",
      "host.arch",
    ),
    fc.string({ unit: "binary", minLength: 1, maxLength: 8 }),
  );
  const facts = fc.dictionary(name, value, { maxKeys: 12 });

  it("end in findings that fit their schema, whatever the order, with or without a stranger", () => {
    fc.assert(
      fc.property(facts, facts, fc.boolean(), (left, right, isAlike) => {
        const alike = isAlike ? { sameAs: "a" } : {};
        const contents = [environment("a", left), environment("b", { ...right, ...alike })];
        const findings = check(snapshotOf(...contents));
        expect(check(snapshotOf(...contents.toReversed()))).toEqual(findings);
        // A stranger with nothing in common changes nothing that is said of the two.
        const stranger = environment("zz", { "stranger.fact": "1" });
        const subjects = (list: Finding[]) =>
          list.filter(({ subject }) => subject.name === "a ~ b");
        expect(subjects(check(snapshotOf(...contents, stranger)))).toEqual(findings);
      }),
      { numRuns: 300 },
    );
  });
});
