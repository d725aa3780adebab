/** Answers of the control API for the console's tests: a blog whose list of posts loads each author on its own. */

import type { Finding, Span } from "@faultline/contracts";
import type { CaseDetail, Overview, TraceDetail, TraceSummary } from "@faultline/protocol";

export const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
export const caseId = "01980f2c-0000-7000-8000-000000000003";
const evidenceId = `sha256:${"ab12".repeat(16)}`;
const startMs = Date.now() - 4 * 60_000;
const statement = 'SELECT "id", "name", "email" FROM "authors" WHERE "id" = $1';

const minutesAgo = (minutes: number): string => new Date(startMs - minutes * 60_000).toISOString();
const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

interface SpanPlan {
  id: number;
  parent?: number;
  name: string;
  service?: string;
  kind?: Span["kind"];
  atMs: number;
  forMs: number;
  attributes?: Span["attributes"];
  failed?: string;
}

function span(plan: SpanPlan): Span {
  return {
    traceId,
    spanId: hex(plan.id, 16),
    ...(plan.parent === undefined ? {} : { parentSpanId: hex(plan.parent, 16) }),
    name: plan.name,
    kind: plan.kind ?? "internal",
    service: plan.service ?? "posts-api",
    startMicros: (startMs + plan.atMs) * 1_000,
    durationNanos: plan.forMs * 1e6,
    status: plan.failed === undefined ? { code: "unset" } : { code: "error", message: plan.failed },
    attributes: plan.attributes ?? {},
    resource: { "service.name": plan.service ?? "posts-api", "telemetry.sdk.language": "nodejs" },
    scope: { name: "@opentelemetry/instrumentation-pg", version: "0.61.0" },
    events: [],
    links: [],
  };
}

/** A GraphQL request over a list of `count` posts, each of which loads its author by a query of its own. */
export function listSpans(count: number): Span[] {
  const spans = [
    span({
      id: 1,
      name: "GET /",
      service: "web",
      kind: "server",
      atMs: 0,
      forMs: 40 + count * 6.2,
    }),
    span({
      id: 2,
      parent: 1,
      name: "POST",
      service: "web",
      kind: "client",
      atMs: 4,
      forMs: 30 + count * 6.2,
    }),
    span({
      id: 3,
      parent: 2,
      name: "POST /graphql",
      kind: "server",
      atMs: 6,
      forMs: 26 + count * 6.2,
      attributes: { "http.route": "/graphql", "http.response.status_code": 200 },
    }),
    span({
      id: 4,
      parent: 3,
      name: "query posts",
      atMs: 8,
      forMs: 22 + count * 6.2,
      attributes: { "graphql.operation.name": "posts" },
    }),
    span({
      id: 5,
      parent: 4,
      name: "pg.query:SELECT blog",
      kind: "client",
      atMs: 10,
      forMs: 7.4,
      attributes: {
        "db.system.name": "postgresql",
        "db.query.text": 'SELECT "id", "title", "author_id" FROM "posts" LIMIT $1',
      },
    }),
  ];
  for (let index = 0; index < count; index += 1) {
    const resolver = 100 + index * 2;
    const atMs = 20 + index * 6.2;
    spans.push(
      span({
        id: resolver,
        parent: 4,
        name: `posts.${index}.author`,
        atMs,
        forMs: 6,
        attributes: {
          "graphql.field.path": `posts.${index}.author`,
          "graphql.field.name": "author",
        },
      }),
      span({
        id: resolver + 1,
        parent: resolver,
        name: "pg.query:SELECT blog",
        kind: "client",
        atMs: atMs + 0.4,
        forMs: 4.8 + (index % 7) * 0.1,
        attributes: {
          "db.system.name": "postgresql",
          "db.query.text": statement,
          "db.operation.parameter.0": String(index + 1),
          "server.address": "localhost",
          "server.port": 5432,
        },
      }),
    );
  }
  spans.push(
    span({
      id: 6,
      parent: 3,
      name: "chat simulated",
      service: "gateway",
      kind: "client",
      atMs: 30 + count * 6.2,
      forMs: 1.6,
      failed: "The provider did not answer within its deadline.",
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "simulated",
        "gen_ai.request.model": "simulated",
        "error.type": "provider_timeout",
      },
    }),
  );
  return spans;
}

export const finding: Finding = {
  contract: "fan-out/repeated-query",
  contractVersion: 1,
  boundary: "resolver-database",
  verdict: "violated",
  subject: { kind: "operation", name: "posts-api POST /graphql" },
  title: "The resolver posts.*.author sends one SELECT for each of the 40 posts of the list",
  expected:
    "A fixed number of queries, whatever the length of the list: at most 3 for this resolver.",
  actual:
    "40 equal queries in one request, one after another, 204 ms of 288 ms; 10 for a list of 10.",
  causeKind: "change",
  measures: {
    queryCount: 40,
    listLength: 40,
    totalMs: 204.1,
    shareOfTrace: 0.71,
    sequential: true,
  },
  evidence: Array.from({ length: 40 }, (_, index) => ({
    evidenceId,
    locator: hex(101 + index * 2, 16),
    quote: statement,
  })),
  missing: [],
  fixes: [
    {
      description:
        "Load the authors of all posts with one query: WHERE id = ANY($1), through a DataLoader of one request.",
      verified: false,
    },
  ],
  nextChecks: ["Request a list of another length and compare the counts."],
};

export function traceSummary(index: number, failed = false): TraceSummary {
  return {
    traceId: index === 0 ? traceId : hex(index, 32),
    service: index % 3 === 2 ? "gateway" : "web",
    operation: index % 3 === 2 ? "chat simulated" : "GET /",
    startedAt: new Date(startMs - index * 7_300).toISOString(),
    durationMs: index === 0 ? 288 : 12 + ((index * 37) % 190),
    spanCount: index === 0 ? 86 : 6 + (index % 40),
    errorCount: failed ? 1 : 0,
    status: failed ? "error" : "ok",
    services: index % 3 === 2 ? ["gateway"] : ["gateway", "posts-api", "web"],
  };
}

export function traceDetail(count = 40): TraceDetail {
  const spans = listSpans(count);
  return {
    summary: { ...traceSummary(0, true), spanCount: spans.length },
    spans,
    truncated: false,
    findings: [{ ...finding, evidence: finding.evidence.slice(0, count) }],
  };
}

const control: Finding = {
  ...finding,
  contract: "calls/requests-succeed",
  verdict: "holds",
  title: "All 412 requests of POST /graphql succeeded",
  expected: "No failed request.",
  actual: "0 of 412 failed.",
  causeKind: "none",
  measures: { requestCount: 412 },
  evidence: [],
  fixes: [],
};

export function caseDetail(status: "open" | "proved" | "closed" = "open"): CaseDetail {
  const hypothesis: CaseDetail["hypotheses"][number] = {
    id: "01980f2c-0000-7000-8000-0000000000a1",
    rank: 1,
    status: status === "proved" ? "proved" : "supported",
    statement:
      "The resolver posts.*.author of posts-api queries authors once per post of the list.",
    causeKind: "change",
    boundary: "resolver-database",
    contract: "fan-out/repeated-query",
    subject: finding.subject,
    evidenceFor: [
      {
        evidenceId,
        locator: hex(101, 16),
        quote: "40 × SELECT … FROM authors WHERE id = $1 in one request",
      },
      {
        evidenceId: `sha256:${"cd34".repeat(16)}`,
        locator: hex(3, 16),
        quote: "10 × the same in a request over a list of 10",
      },
    ],
    evidenceAgainst: [],
    missing: [],
    fixes: finding.fixes,
    nextCheck: "Load the authors in one batch, send the same load, and verify.",
  };
  return {
    summary: {
      id: caseId,
      number: 3,
      status,
      symptom: "The list of posts takes 300 ms since this morning, it took 40 ms",
      subject: { kind: "service", name: "posts-api", operation: "POST /graphql" },
      openedAt: minutesAgo(3),
      leadingHypothesis: hypothesis,
    },
    expected: "A list of 40 posts answers within 50 ms.",
    actual: "It takes 288 ms, and longer lists take longer.",
    from: minutesAgo(18),
    to: minutesAgo(3),
    mitigations: ["Lists are limited to 10 posts; the page now shows fewer of them."],
    hypotheses: [
      hypothesis,
      {
        ...hypothesis,
        id: "01980f2c-0000-7000-8000-0000000000a2",
        rank: 2,
        status: "refuted",
        statement: "Failed requests that are sent again make posts-api slow.",
        causeKind: "dependency",
        boundary: "service-service",
        contract: "calls/requests-succeed",
        evidenceFor: [],
        evidenceAgainst: [{ evidenceId, quote: "0 of 412 requests failed" }],
        missing: [],
        fixes: [],
        nextCheck: "None: every request succeeded at the first try.",
      },
    ],
    findings: [finding, control],
    snapshots: [
      {
        id: evidenceId,
        role: "before",
        takenAt: minutesAgo(3),
        from: minutesAgo(18),
        to: minutesAgo(3),
        evidenceCount: 21,
        traceCountSeen: 412,
        traceCountKept: 20,
        byteCount: 184_221,
      },
      ...(status === "proved"
        ? [
            {
              id: `sha256:${"ef56".repeat(16)}`,
              role: "after" as const,
              takenAt: minutesAgo(1),
              from: minutesAgo(2),
              to: minutesAgo(1),
              evidenceCount: 21,
              traceCountSeen: 430,
              traceCountKept: 20,
              byteCount: 92_800,
            },
          ]
        : []),
    ],
    verifications:
      status === "proved"
        ? [
            {
              id: "01980f2c-0000-7000-8000-0000000000b1",
              hypothesisId: hypothesis.id,
              verifiedAt: minutesAgo(1),
              outcome: "proved",
              reasons: [
                "fan-out/repeated-query was violated before and holds after; the control did not change.",
              ],
              contract: {
                contract: "fan-out/repeated-query",
                before: "violated",
                after: "holds",
                summary: "40 queries per request before, 1 after, on lists of 40.",
              },
              control: {
                contract: "calls/requests-succeed",
                before: "holds",
                after: "holds",
                summary: "412 of 412 before, 430 of 430 after.",
              },
              coverage: [
                { name: "requests", expected: "at least 412", actual: "430", met: true },
                { name: "list length", expected: "at least 40", actual: "40", met: true },
                {
                  name: "kinds of spans",
                  expected: "server, resolver, database",
                  actual: "server, resolver, database",
                  met: true,
                },
              ],
              beforeSnapshot: evidenceId,
              afterSnapshot: `sha256:${"ef56".repeat(16)}`,
            },
          ]
        : [],
    events: [
      {
        sequence: 1,
        kind: "case-opened",
        at: minutesAgo(3),
        actor: "admin",
        summary: "Opened on service posts-api, POST /graphql.",
      },
      {
        sequence: 2,
        kind: "snapshot-taken",
        at: minutesAgo(3),
        actor: "faultline",
        summary: "20 of 412 traces frozen as before.",
      },
      {
        sequence: 3,
        kind: "hypothesis-supported",
        at: minutesAgo(3),
        actor: "faultline",
        summary: "fan-out/repeated-query is violated: hypothesis 1 is supported.",
      },
      ...(status === "proved"
        ? [
            {
              sequence: 4,
              kind: "hypothesis-proved",
              at: minutesAgo(1),
              actor: "faultline",
              summary: "Hypothesis 1 is proved.",
            },
          ]
        : []),
    ],
  };
}

export function overview(): Overview {
  const points = Array.from({ length: 60 }, (_, index) => ({
    at: minutesAgo(60 - index),
    count: Math.round(40 + 18 * Math.sin(index / 7) + ((index * 13) % 9)),
    errorCount: index > 41 && index < 47 ? 6 - Math.abs(44 - index) : index % 17 === 0 ? 1 : 0,
    ...(index < 4
      ? {}
      : {
          timeToFirstTokenMsP50: 180 + ((index * 29) % 40),
          timeToFirstTokenMsP95: 420 + ((index * 53) % 160),
        }),
  }));
  return {
    from: minutesAgo(60),
    to: minutesAgo(0),
    traffic: {
      count: points.reduce((sum, point) => sum + point.count, 0),
      errorCount: points.reduce((sum, point) => sum + point.errorCount, 0),
      inputTokens: 1_284_000,
      outputTokens: 312_450,
      timeToFirstTokenMsP50: 196.4,
      timeToFirstTokenMsP95: 502,
      points,
    },
    edges: [
      {
        from: "web",
        to: "posts-api",
        boundary: "service-service",
        count: 412,
        errorCount: 0,
        durationMsP95: 288,
        caseNumbers: [],
      },
      {
        from: "web",
        to: "faultline-gateway",
        boundary: "service-service",
        count: 1_904,
        errorCount: 0,
        durationMsP95: 812,
        verdict: "holds",
        caseNumbers: [],
      },
      {
        from: "posts-api",
        to: "postgresql/blog",
        boundary: "resolver-database",
        count: 16_892,
        errorCount: 0,
        durationMsP95: 5.4,
        verdict: "violated",
        caseNumbers: [3],
      },
      {
        from: "faultline-gateway",
        to: "simulated",
        boundary: "client-server",
        count: 1_904,
        errorCount: 27,
        durationMsP95: 780,
        caseNumbers: [],
      },
      {
        from: "faultline-gateway",
        to: "openai",
        boundary: "client-server",
        count: 604,
        errorCount: 0,
        durationMsP95: 1_240,
        caseNumbers: [],
      },
      {
        from: "posts-api",
        to: "search_posts",
        boundary: "model-tool",
        count: 88,
        errorCount: 0,
        durationMsP95: 41,
        verdict: "inconclusive",
        caseNumbers: [],
      },
    ],
    spanCount: 48_211,
    openCases: [caseDetail().summary],
  };
}
