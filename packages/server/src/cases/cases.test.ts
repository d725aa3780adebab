/** Cases over a real PostgreSQL and real blobs, with a store of traces held in memory. */

import {
  openTemporaryFolder,
  openTestDatabase,
  seededRandom,
  type TestDatabase,
} from "@faultline/testkit";
import { decodeSnapshotFile, Span as SpanSchema, type Span } from "@faultline/contracts";
import {
  type CaseDetail,
  CaseDetail as CaseDetailSchema,
  type PlatformError,
} from "@faultline/protocol";
import { pino } from "pino";
import { Value } from "typebox/value";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createIds, systemClock } from "#kernel/index.ts";
import { openBlobs } from "#storage/index.ts";
import { Tracer } from "#telemetry/index.ts";

import { readHistory } from "./case-records.ts";
import { type ActorScope, Cases } from "./cases.ts";
import type { TraceSource } from "./freeze-snapshot.ts";
import { caseLimits } from "./limits.ts";
import { replay, toCaseDetail } from "./state.ts";
import { type OrderTraffic, orderTraces, type SyntheticTrace } from "./synthetic-orders.ts";

const lengths = [5, 40, 5, 40, 5, 40];
const nowMicros = Math.floor(Date.now() / 1_000) * 1_000_000;
const beforeMicros = nowMicros - 1_000_000_000;
const afterMicros = nowMicros - 500_000_000;
const iso = (micros: number): string => new Date(micros / 1_000).toISOString();
const beforeWindow = { from: iso(beforeMicros - 1_000_000), to: iso(afterMicros - 1_000_000) };
const afterWindow = { from: iso(afterMicros - 1_000_000), to: iso(nowMicros) };

let database: TestDatabase;
let scope: ActorScope;
let cases: Cases;
let tracer: Tracer;
let traces: SyntheticTrace[];
/** What the ledger gives. */
let exported: readonly string[] = [];
const opened = new AsyncDisposableStack();

const ownSpans: { tenantId: string; span: Span }[] = [];

const source: TraceSource = {
  async tracesOfSubject(_, query) {
    const found = traces
      .filter(({ summary, spans }) => {
        const start = spans[0]?.startMicros ?? 0;
        const inWindow = start >= query.fromMicros && start < query.toMicros;
        return inWindow && summary.services.includes(query.service);
      })
      .map(({ summary }) => summary);
    return { traces: found.slice(0, query.limit), seenCount: found.length };
  },
  async readTrace(_, traceId) {
    const found = traces.find(({ summary }) => summary.traceId === traceId);
    return found === undefined ? undefined : { spans: found.spans, truncated: false };
  },
};

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const folder = opened.use(await openTemporaryFolder());
  tracer = new Tracer({
    sink: async (tenantId, spans) => {
      ownSpans.push(...spans.map((span) => ({ tenantId, span })));
    },
    clock: systemClock,
    random: seededRandom("spans"),
    logger: pino({ level: "silent" }),
    signal: new AbortController().signal,
    scope: "test",
  });
  cases = Cases.open({
    store: database.store,
    telemetry: source,
    ledger: { exportLedger: async () => exported },
    blobs: await openBlobs(folder.path),
    clock: systemClock,
    ids: createIds(systemClock, seededRandom("cases")),
    tracer,
  });
  scope = { tenantId: database.tenantId, signal: new AbortController().signal, actor: "tester" };
});
afterAll(() => opened.disposeAsync());

beforeEach(() => {
  traces = traffic({ variant: "broken", startMicros: beforeMicros, series: 1 });
});

function traffic(parts: Partial<OrderTraffic>): SyntheticTrace[] {
  return orderTraces({
    variant: "repaired",
    listLengths: lengths,
    startMicros: afterMicros,
    series: 2,
    ...parts,
  });
}

async function open(symptom = "The order list is slow"): Promise<CaseDetail> {
  return await cases.openCase(scope, {
    symptom,
    subject: { kind: "service", name: "orders" },
    ...beforeWindow,
    expected: "a list costs a fixed number of statements",
  });
}

async function refusal(work: () => Promise<unknown>): Promise<PlatformError> {
  // Every refusal of this module is a PlatformError; another error fails the assertions on it.
  return (await work().then(
    () => new Error("was not refused"),
    (error: unknown) => error,
  )) as PlatformError;
}

describe("a case of the ledger", () => {
  it("is refused over a window that holds more than a case freezes", async () => {
    exported = ["x".repeat(caseLimits.ledgerBytesMax + 1)];
    const subject = { kind: "ledger", name: "all" } as const;
    const request = { symptom: "It does not agree", subject, ...beforeWindow };
    const error = await refusal(() => cases.openCase(scope, request));
    expect([error.code, error.where]).toEqual(["limit_exceeded", "/from"]);
  });
});

describe("a case", () => {
  it("leads from a symptom to a supported hypothesis with evidence, fixes and a next check", async () => {
    const detail = await open();
    const leading = detail.summary.leadingHypothesis;
    expect(leading).toMatchObject({
      rank: 1,
      status: "supported",
      contract: "fan-out/repeated-query",
      boundary: "resolver-database",
      subject: { kind: "resolver", name: "orders query OrderList orders.*.customer" },
    });
    expect(leading?.statement).toContain("orders.*.customer");
    expect(leading?.statement).toContain("where id = ?");
    expect(leading?.statement).toContain("grows with the list");
    expect(leading?.evidenceFor.length).toBeGreaterThan(0);
    expect(leading?.fixes.map((fix) => fix.description).join(" ")).toContain("DataLoader");
    expect(leading?.nextCheck).not.toBe("");
    expect(leading?.missing.join(" ")).toContain("no change event");
    expect(detail.findings.map((finding) => `${finding.contract} ${finding.verdict}`)).toEqual([
      "fan-out/repeated-query violated",
      "calls/requests-succeed holds",
    ]);
    expect(detail.snapshots).toHaveLength(1);
    expect(detail.snapshots[0]).toMatchObject({ role: "before", traceCountKept: lengths.length });
    expect(detail.events.map(({ kind }) => kind)).toEqual([
      "case-opened",
      "snapshot-frozen",
      "contracts-checked",
      "hypotheses-written",
    ]);
  });

  it("becomes proved by a repair, and keeps both snapshots as files that can be replayed", async () => {
    const { summary } = await open();
    traces.push(...traffic({}));
    const detail = await cases.verify(scope, String(summary.number), afterWindow);
    expect([...Value.Errors(CaseDetailSchema, detail)]).toEqual([]);
    expect(detail.verifications.at(-1)?.reasons.join(" ")).not.toContain("Not covered");
    expect(detail.summary.status).toBe("proved");
    expect(detail.summary.leadingHypothesis?.status).toBe("proved");
    expect(detail.verifications.at(-1)?.outcome).toBe("proved");
    for (const { id } of detail.snapshots) {
      const bytes = await cases.snapshotFile(scope, summary.id, id);
      const kinds = decodeSnapshotFile(bytes).evidence.map((item) => item.content.kind);
      expect(kinds).toContain("trace-population");
    }
  });

  it("stays open, with its hypothesis supported, when nothing was repaired", async () => {
    const { summary } = await open();
    traces.push(...traffic({ variant: "broken" }));
    const detail = await cases.verify(scope, summary.id, afterWindow);
    expect(detail.summary.status).toBe("open");
    expect(detail.summary.leadingHypothesis?.status).toBe("supported");
    expect(detail.verifications.at(-1)?.outcome).toBe("not-repaired");
  });

  it("can be verified again after an inconclusive verification", async () => {
    const { summary } = await open();
    const first = await cases.verify(scope, summary.id, afterWindow);
    expect(first.verifications.map(({ outcome }) => outcome)).toEqual(["inconclusive"]);
    traces.push(...traffic({}));
    const second = await cases.verify(scope, summary.id, afterWindow);
    expect(second.verifications.map(({ outcome }) => outcome)).toEqual(["inconclusive", "proved"]);
  });

  it("says honestly that nothing is violated, and what is missing", async () => {
    traces = traffic({ startMicros: beforeMicros });
    const healthy = await open("It feels slow");
    expect(healthy.summary.leadingHypothesis).toMatchObject({
      status: "proposed",
      causeKind: "none",
    });
    expect(healthy.summary.leadingHypothesis?.statement).toContain("No contract is violated");
    expect(healthy.summary.leadingHypothesis?.missing).not.toEqual([]);

    traces = [];
    const empty = await open("Nothing arrives");
    expect(empty.summary.leadingHypothesis?.statement).toContain("no trace of the subject");
    const refused = await refusal(() => cases.verify(scope, empty.summary.id, afterWindow));
    expect(refused.code).toBe("conflict");
  });

  it("never takes failing requests, a symptom, for a cause", async () => {
    traces = traffic({ startMicros: beforeMicros, failing: true });
    const detail = await open("Lists fail");
    expect(detail.findings.find(({ verdict }) => verdict === "violated")?.contract).toBe(
      "calls/requests-succeed",
    );
    expect(detail.hypotheses.map(({ status }) => status)).not.toContain("supported");
    expect(detail.summary.leadingHypothesis?.statement).toContain("symptom");
  });

  it("asks instead of asserting when the evidence is too thin for a verdict", async () => {
    traces = traffic({ variant: "broken", startMicros: beforeMicros, listLengths: [2, 2] });
    const detail = await open("Short lists");
    expect(detail.hypotheses.map(({ status }) => status)).not.toContain("supported");
    expect(detail.hypotheses.flatMap(({ missing }) => missing).join(" ")).toContain(
      "at least 5 items",
    );
  });

  it("leaves out a trace whose request is still arriving", async () => {
    const recent = Date.now() * 1_000 - 1_000_000;
    const [arriving] = traffic({
      variant: "broken",
      listLengths: [40],
      startMicros: recent,
      series: 9,
    });
    traces.push({ ...arriving!, spans: arriving!.spans.slice(1) });
    const detail = await cases.openCase(scope, {
      symptom: "Slow",
      subject: { kind: "service", name: "orders" },
      from: beforeWindow.from,
    });
    expect(detail.snapshots[0]).toMatchObject({
      traceCountSeen: lengths.length + 1,
      traceCountKept: lengths.length,
    });
  });

  it("accepts nothing once it is closed", async () => {
    const { summary } = await open();
    const noted = await cases.addMitigation(scope, summary.id, "Lists are limited to 10 for now");
    expect(noted.mitigations).toEqual(["Lists are limited to 10 for now"]);
    const closed = await cases.close(scope, summary.id, "No longer needed");
    expect(closed.summary.status).toBe("closed");
    for (const work of [
      () => cases.addMitigation(scope, summary.id, "late"),
      () => cases.close(scope, summary.id, "again"),
      () => cases.verify(scope, summary.id, afterWindow),
    ]) {
      expect(await refusal(work)).toMatchObject({ code: "conflict" });
    }
    expect((await cases.read(scope, summary.id)).events).toHaveLength(6);
  });

  it("records concurrent verifications one after another, and proves its cause once", async () => {
    const { summary } = await open();
    traces.push(...traffic({}));
    const details = await Promise.all(
      Array.from({ length: 4 }, () => cases.verify(scope, summary.id, afterWindow)),
    );
    expect(details.map((detail) => detail.verifications.length)).toEqual(
      expect.arrayContaining([1, 2, 3, 4]),
    );
    expect(details.every((detail) => detail.summary.status === "proved")).toBe(true);
    const { events, snapshots } = await cases.read(scope, summary.id);
    expect(snapshots.map(({ role }) => role)).toEqual(["before", "after"]);
    expect(events.filter(({ kind }) => kind === "cause-proved")).toHaveLength(1);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  });

  it("gives concurrent openers different numbers without a gap", async () => {
    const details = await Promise.all(
      Array.from({ length: 5 }, (_, index) => open(`Opened ${index}`)),
    );
    const numbers = details.map(({ summary }) => summary.number).sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  });

  it("is told to come back while as many are investigated as the limit allows", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: caseLimits.investigationCountMax + 1 }, () => open()),
    );
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatchObject({ code: "limit_exceeded" });
    await open("Afterwards there is room again");
  });

  it("refuses windows that are empty, too long, in the future or before all telemetry", async () => {
    const subject = { kind: "service", name: "orders" } as const;
    for (const window of [
      { from: iso(nowMicros), to: iso(beforeMicros) },
      { from: "2001-01-01T00:00:00Z", to: "2002-01-01T00:00:00Z" },
      { from: "9999-12-30T00:00:00Z", to: "9999-12-31T00:00:00Z" },
      { from: "0000-01-01T00:00:00Z", to: "0000-01-02T00:00:00Z" },
    ]) {
      const refused = await refusal(() =>
        cases.openCase(scope, { symptom: "x", subject, ...window }),
      );
      expect(refused).toMatchObject({ code: "request_invalid", where: "/from" });
    }
  });
});

describe("the steps of a case", () => {
  it("are spans in the tenant's own store, with their parts below them", async () => {
    await tracer.flush();
    ownSpans.length = 0;
    const { summary } = await open();
    await tracer.flush();
    const [root] = ownSpans.filter(({ span }) => span.parentSpanId === undefined);
    expect(root?.tenantId).toBe(scope.tenantId);
    expect(root?.span).toMatchObject({
      name: "case open",
      service: "faultline",
      attributes: { "faultline.case.number": summary.number },
    });
    const parts = ownSpans.filter(({ span }) => span.parentSpanId === root?.span.spanId);
    expect(parts.map(({ span }) => span.name)).toEqual([
      "freeze snapshot",
      "check contracts",
      "write hypotheses",
    ]);
    expect(ownSpans.every(({ span }) => Value.Check(SpanSchema, span))).toBe(true);
  });

  it("say when they failed", async () => {
    await tracer.flush();
    ownSpans.length = 0;
    await refusal(() => cases.verify(scope, "999999", afterWindow));
    await tracer.flush();
    expect(ownSpans.map(({ span }) => [span.name, span.status.code])).toEqual([
      ["case verify", "error"],
    ]);
  });
});

describe("the records of a case", () => {
  it("replay to the state that is stored beside them", async () => {
    const { summary } = await open();
    await cases.addMitigation(scope, summary.id, "Smaller lists");
    traces.push(...traffic({}));
    const detail = await cases.verify(scope, summary.id, afterWindow);
    const history = await database.store.read(scope, (reader) => readHistory(reader, summary.id));
    expect(toCaseDetail(replay(history), history)).toEqual(detail);
    expect(await cases.read(scope, summary.id)).toEqual(detail);
  });

  it("hold a step whole or not at all, whichever of its writes fails", async () => {
    const { summary } = await open();
    traces.push(...traffic({}));
    const counts = async () =>
      await database.sql<{ events: string; cases: string; last: number }>(
        `select (select count(*) from case_event) as events, (select count(*) from case_record) as cases,
           (select last_number from case_counter) as last`,
      );
    const failAt = async (sequence: number): Promise<void> => {
      await database.sql(`create or replace function fail_event() returns trigger language plpgsql as
        $$ begin if new.sequence = ${sequence} then raise exception 'planted'; end if; return new; end $$`);
    };
    await failAt(0);
    await database.sql(
      "create trigger planted before insert on case_event for each row execute function fail_event()",
    );
    await database.sql("grant execute on function fail_event() to faultline_app");
    const steps = [
      { work: () => open("Never to be seen"), sequences: [1, 2, 3, 4] },
      { work: () => cases.verify(scope, summary.id, afterWindow), sequences: [5, 6, 7] },
    ];
    try {
      for (const { work, sequences } of steps) {
        for (const sequence of sequences) {
          await failAt(sequence);
          const [before, earlier] = [await counts(), await cases.read(scope, summary.id)];
          await expect(work()).rejects.toThrow();
          expect(await counts()).toEqual(before);
          expect(await cases.read(scope, summary.id)).toEqual(earlier);
        }
        await failAt(0);
        await work();
      }
    } finally {
      await database.sql("drop trigger planted on case_event");
    }
    expect((await cases.read(scope, summary.id)).summary.status).toBe("proved");
  });

  it("cannot be changed or deleted by the platform's role", async () => {
    await open();
    for (const statement of [
      "update case_event set actor = 'x'",
      "delete from case_event",
      "delete from case_record",
    ]) {
      await expect(
        database.sql(`begin; set local role faultline_app; ${statement}; commit`),
      ).rejects.toThrow(/permission denied/);
      await database.sql("rollback");
    }
  });

  it("are seen by their own tenant alone", async () => {
    const { summary } = await open();
    const other = { ...scope, tenantId: await database.createTenant(`other-${summary.number}`) };
    expect((await cases.list(other, {})).cases).toEqual([]);
    for (const work of [
      () => cases.read(other, summary.id),
      () => cases.read(other, String(summary.number)),
      () => cases.report(other, summary.id, "html"),
      () => cases.verify(other, summary.id, afterWindow),
      () => cases.addMitigation(other, summary.id, "x"),
      () => cases.close(other, summary.id, "x"),
      () => cases.snapshotFile(other, summary.id, summary.id),
    ]) {
      expect(await refusal(work)).toMatchObject({ code: "not_found" });
    }
  });

  it("keep what spans quote even when PostgreSQL's JSON could not", async () => {
    traces = traces.map(({ summary, spans }) => ({
      summary,
      spans: spans.map((span) =>
        typeof span.attributes["db.query.text"] === "string"
          ? {
              ...span,
              attributes: { ...span.attributes, "db.query.text": "SELECT 'a\u0000b\ud800' FROM t" },
            }
          : span,
      ),
    }));
    const { summary } = await open("Strange \ud800 text\u0000");
    expect((await cases.read(scope, summary.id)).summary.symptom).toBe("Strange \uFFFD text\uFFFD");
  });

  it("are listed newest first, by status and page by page", async () => {
    const closed = await open("To be closed");
    await cases.close(scope, closed.summary.id, "done");
    await open("Left open");
    const page = await cases.list(scope, { limit: 1 });
    expect(page.cases.map(({ symptom }) => symptom)).toEqual(["Left open"]);
    const next = await cases.list(scope, { limit: 1, cursor: page.nextCursor! });
    expect(next.cases.map(({ symptom }) => symptom)).toEqual(["To be closed"]);
    const onlyClosed = await cases.list(scope, { status: "closed", limit: 200 });
    expect(new Set(onlyClosed.cases.map(({ status }) => status))).toEqual(new Set(["closed"]));
    expect(page.cases[0]?.leadingHypothesis?.status).toBe("supported");
    expect(await refusal(() => cases.list(scope, { cursor: "x" }))).toMatchObject({
      code: "request_invalid",
    });
  });
});

describe("the report of a case", () => {
  it("tells symptom, cause, proof and what follows, in Markdown and HTML", async () => {
    const { summary } = await open();
    const before = await cases.report(scope, summary.id, "markdown");
    expect(before).toContain("Supported, not proved");
    expect(before).toContain("nothing is proved");
    traces.push(...traffic({}));
    await cases.verify(scope, summary.id, afterWindow);
    const markdown = await cases.report(scope, summary.id, "markdown");
    expect(markdown).toContain(
      "change (the kind that this contract points at; no change event is in the evidence)",
    );
    const html = await cases.report(scope, summary.id, "html");
    for (const title of [
      "Symptom",
      "Mitigation",
      "Evidence",
      "Hypotheses",
      "Root cause",
      "Proof",
      "Fix",
      "Fix gate",
      "Prevention",
      "Monitors",
      "Events",
    ]) {
      expect(markdown).toContain(`\n## ${title}\n`);
      expect(html).toContain(`>${title}</h2>`);
    }
    expect(markdown).toContain("**Proved: ");
    expect(html).toContain("select id, name from customer where id = ?");
    expect(html).not.toMatch(/<script|https?:\/\/|\bsrc=/);
  });

  it("escapes what came from outside", async () => {
    const { summary } = await open(`<img src=x onerror=alert(1)> | *bold* [link](javascript:1)`);
    const html = await cases.report(scope, summary.id, "html");
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;");
    const markdown = await cases.report(scope, summary.id, "markdown");
    expect(markdown).toContain("\\<img src=x onerror=alert(1)\\> \\| \\*bold\\* \\[link\\]");
  });
});
