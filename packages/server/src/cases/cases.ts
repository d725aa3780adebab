/** Cases: from a symptom to a proof. */

import {
  type BookedInvoiceLine,
  checkSnapshot,
  type Contract,
  contracts as shippedContracts,
  controls,
  decodeSnapshotFile,
  type Finding,
  requestsSucceed,
  type Snapshot,
} from "@faultline/contracts";
import {
  type CaseDetail,
  type CaseList,
  type CaseQuery,
  type CaseSubject,
  type OpenCaseRequest,
  PlatformError,
  type Verification,
  type VerifyCaseRequest,
} from "@faultline/protocol";

import { assert, type Clock, type Ids } from "#kernel/index.ts";
import type { Blobs, Store, TenantScope } from "#storage/index.ts";
import type { Tracer } from "#telemetry/index.ts";

import {
  appendFacts,
  type CaseReference,
  listCases,
  lockCase,
  readCase,
  readHistory,
  takeNumber,
} from "./case-records.ts";
import type { CaseFact } from "./fact.ts";
import { invoiceIn, invoiceLinesOf } from "./case-invoice.ts";
import { readWindow } from "./case-window.ts";
import {
  type FrozenSnapshot,
  freezeSnapshot,
  type FreezeRequest,
  type TraceSource,
} from "./freeze-snapshot.ts";
import { freezeLedger, type LedgerSource } from "./freeze-ledger.ts";
import { judgeLedgerRepair } from "./judge-ledger-repair.ts";
import { faultyEntries, judgeRepair } from "./judge-repair.ts";
import { caseLimits } from "./limits.ts";
import { keepFindings } from "./keep-findings.ts";
import { composeReport } from "./report/compose.ts";
import { renderHtml } from "./report/html.ts";
import { renderMarkdown } from "./report/markdown.ts";
import {
  type CaseState,
  closeCase,
  noteMitigation,
  recordVerification,
  requireVerifiable,
  toCaseDetail,
} from "./state.ts";
import { stepAttributes, type StepTrace, tracePart } from "./step-trace.ts";
import { writeHypotheses } from "./write-hypotheses.ts";

export interface CasesOptions {
  readonly store: Store;
  readonly telemetry: TraceSource;
  readonly ledger: LedgerSource;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Writes each step, and the parts it consists of, as spans of the tenant. */
  readonly tracer: Tracer;
}

/** Every contract that a case runs; `checkSnapshot` puts them in the design's order. */
const caseContracts: readonly Contract[] = [...shippedContracts, ...controls];

/** Whose case it is, and in whose name a step is taken. */
export interface ActorScope extends TenantScope {
  readonly actor: string;
}

export class Cases {
  readonly #options: CasesOptions;
  #investigationCount = 0;

  private constructor(options: CasesOptions) {
    this.#options = options;
  }

  static open(options: CasesOptions): Cases {
    return new Cases(options);
  }

  /** Freezes the evidence of the window, runs the contracts on it and writes hypotheses. */
  async openCase(scope: ActorScope, request: OpenCaseRequest): Promise<CaseDetail> {
    const window = readWindow(request, this.#options.clock);
    const invoice = request.invoice === undefined ? [] : invoiceLinesOf(request.invoice);
    if (invoice.length > 0 && request.subject.kind !== "ledger") {
      throw new PlatformError("request_invalid", "An invoice lies beside a ledger only.", {
        where: "/invoice",
        hint: "Name what of the ledger the case is about: `ledger:all`, or the model that is invoiced.",
      });
    }
    const at = this.#now();
    return await this.#investigate(scope, "case open", async (trace) => {
      const { snapshot, facts } = await this.#freeze(scope, {
        subject: request.subject,
        window,
        role: "before",
        takenAt: at,
        invoice,
        trace,
      });
      const findings = await tracePart(trace, "check contracts", () =>
        aboutFirst(checkSnapshot(snapshot, caseContracts), request.subject),
      );
      const drafts = await tracePart(trace, "write hypotheses", () =>
        writeHypotheses(snapshot, findings, caseContracts),
      );
      const hypotheses = drafts.map((draft) => ({ id: this.#options.ids.next(), ...draft }));
      const investigated: CaseFact[] = [
        { kind: "snapshot-frozen", snapshot: facts },
        {
          kind: "contracts-checked",
          findings: keepFindings(findings),
          findingCount: findings.length,
        },
        { kind: "hypotheses-written", hypotheses },
      ];
      return await this.#options.store.transact(scope, async (writer) => {
        const number = await takeNumber(writer, scope.tenantId);
        const opened = this.#opened(request, { number, from: facts.from, to: facts.to });
        const state = await appendFacts(writer, scope.tenantId, {
          state: undefined,
          facts: [opened, ...investigated],
          at,
          actor: scope.actor,
        });
        return toCaseDetail(state, await readHistory(writer, state.id));
      });
    });
  }

  async list(scope: TenantScope, query: CaseQuery): Promise<CaseList> {
    return await this.#options.store.read(scope, (reader) => listCases(reader, query));
  }

  /** A case by id or number. Throws `not_found`. */
  async read(scope: TenantScope, reference: CaseReference): Promise<CaseDetail> {
    return await this.#options.store.read(scope, async (reader) => {
      const state = await readCase(reader, reference);
      return toCaseDetail(state, await readHistory(reader, state.id));
    });
  }

  /**
   * Takes a snapshot of the window after a repair and judges the leading hypothesis by it. Verifications of one
   * case are recorded one after another; the judgement itself rests on frozen snapshots alone.
   */
  async verify(
    scope: ActorScope,
    reference: CaseReference,
    request: VerifyCaseRequest,
  ): Promise<CaseDetail> {
    const window = readWindow(request, this.#options.clock);
    const at = this.#now();
    return await this.#investigate(scope, "case verify", async (trace) => {
      const state = await this.#options.store.read(scope, (reader) => readCase(reader, reference));
      const hypothesis = requireVerifiable(state);
      const before = await this.#snapshotBefore(state);
      const contract = caseContracts.find(({ id }) => id === hypothesis.contract);
      assert(contract !== undefined, "a hypothesis names a contract that a case runs");
      const question = { hypothesis, before: before.snapshot, contract, control: requestsSucceed };
      const isOfLedger = state.subject.kind === "ledger";
      const after = await this.#freeze(scope, {
        subject: state.subject,
        // What a ledger says of the time before a repair is part of the proof.
        window: isOfLedger ? { ...window, fromMs: Date.parse(state.from) } : window,
        role: "after",
        ...(isOfLedger ? {} : { operations: faultyEntries(question) }),
        takenAt: at,
        invoice: invoiceIn(before.snapshot),
        trace,
      });
      const judgement = await tracePart(trace, "judge repair", () => {
        const both = { ...question, after: after.snapshot };
        return isOfLedger ? judgeLedgerRepair(both) : judgeRepair(both);
      });
      const verification: Verification = {
        id: this.#options.ids.next(),
        hypothesisId: hypothesis.id,
        verifiedAt: at,
        ...judgement,
        beforeSnapshot: before.id,
        afterSnapshot: after.facts.id,
      };
      return await this.#step(scope, reference, {
        at,
        decide: (locked) => recordVerification(locked, after.facts, verification),
      });
    });
  }

  /** Notes what was done against the symptom, apart from its cause. */
  async addMitigation(
    scope: ActorScope,
    reference: CaseReference,
    text: string,
  ): Promise<CaseDetail> {
    const decide = (state: CaseState): CaseFact[] => noteMitigation(state, text);
    return await this.#traced(scope, "case mitigate", () =>
      this.#step(scope, reference, { at: this.#now(), decide }),
    );
  }

  /** Closes a case; it accepts nothing afterwards. */
  async close(scope: ActorScope, reference: CaseReference, reason: string): Promise<CaseDetail> {
    const decide = (state: CaseState): CaseFact[] => closeCase(state, reason);
    return await this.#traced(scope, "case close", () =>
      this.#step(scope, reference, { at: this.#now(), decide }),
    );
  }

  /** The report of a case. */
  async report(
    scope: TenantScope,
    reference: CaseReference,
    format: "markdown" | "html",
  ): Promise<string> {
    const report = composeReport(await this.read(scope, reference));
    return format === "html" ? renderHtml(report) : renderMarkdown(report);
  }

  /** The bytes of a snapshot of this case. Throws `not_found` when the case has none of this id. */
  async snapshotFile(
    scope: TenantScope,
    reference: CaseReference,
    snapshotId: string,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const state = await this.#options.store.read(scope, (reader) => readCase(reader, reference));
    const isOwn = state.snapshots.some(({ id }) => id === snapshotId);
    const bytes = isOwn ? await this.#options.blobs.get(snapshotId) : undefined;
    if (bytes === undefined) {
      throw new PlatformError("not_found", `Case ${state.number} has no snapshot ${snapshotId}.`);
    }
    return new Uint8Array(bytes);
  }

  async #step(
    scope: ActorScope,
    reference: CaseReference,
    step: {
      readonly at: string;
      readonly decide: (state: CaseState) => CaseFact[];
    },
  ): Promise<CaseDetail> {
    return await this.#options.store.transact(scope, async (writer) => {
      const locked = await lockCase(writer, reference);
      const { at } = step;
      const { actor } = scope;
      const facts = step.decide(locked);
      const state = await appendFacts(writer, scope.tenantId, { state: locked, facts, at, actor });
      return toCaseDetail(state, await readHistory(writer, state.id));
    });
  }

  async #freeze(
    scope: TenantScope,
    {
      trace,
      invoice,
      ...request
    }: FreezeRequest & {
      readonly trace: StepTrace;
      readonly invoice: readonly BookedInvoiceLine[];
    },
  ): Promise<FrozenSnapshot> {
    const { telemetry: source, ledger, blobs } = this.#options;
    return await tracePart(trace, "freeze snapshot", () =>
      request.subject.kind === "ledger"
        ? freezeLedger({ ledger, blobs, scope }, { ...request, invoice })
        : freezeSnapshot({ source, blobs, scope }, request),
    );
  }

  async #snapshotBefore(state: CaseState): Promise<{ id: string; snapshot: Snapshot }> {
    const facts = state.snapshots.find((snapshot) => snapshot.role === "before");
    assert(facts !== undefined, "an opened case has a snapshot from before the repair");
    const bytes = await this.#options.blobs.get(facts.id);
    if (bytes === undefined) {
      throw new PlatformError(
        "snapshot_corrupt",
        `The snapshot ${facts.id} of case ${state.number} is gone.`,
        { hint: "Restore the blobs from a backup." },
      );
    }
    return { id: facts.id, snapshot: decodeSnapshotFile(bytes) };
  }

  /** Runs a step that freezes and checks snapshots, unless too many run already. */
  async #investigate(
    scope: TenantScope,
    name: string,
    run: (trace: StepTrace) => Promise<CaseDetail>,
  ): Promise<CaseDetail> {
    const { investigationCountMax } = caseLimits;
    if (this.#investigationCount >= investigationCountMax) {
      throw new PlatformError(
        "limit_exceeded",
        `${investigationCountMax} cases are being investigated at this moment, which is the limit.`,
        { hint: "Ask again in a few seconds." },
      );
    }
    this.#investigationCount += 1;
    try {
      return await this.#traced(scope, name, run);
    } finally {
      this.#investigationCount -= 1;
    }
  }

  /** Runs a step of a case within a span, which names what came of it. */
  async #traced(
    scope: TenantScope,
    name: string,
    run: (trace: StepTrace) => Promise<CaseDetail>,
  ): Promise<CaseDetail> {
    const { tracer } = this.#options;
    const { tenantId } = scope;
    return await tracer.trace(tenantId, name, {
      work: async (span) => {
        const detail = await run({ tracer, tenantId, parent: span.context });
        for (const [key, value] of Object.entries(stepAttributes(detail))) {
          span.setAttribute(key, value);
        }
        return detail;
      },
    });
  }

  #opened(
    request: OpenCaseRequest,
    given: { readonly number: number; readonly from: string; readonly to: string },
  ): CaseFact {
    const { symptom, subject, expected, actual } = request;
    return {
      kind: "case-opened",
      id: this.#options.ids.next(),
      ...given,
      symptom,
      subject,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    };
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

/** Findings about the very thing that a case of the ledger names come before others. */
function aboutFirst(findings: readonly Finding[], { kind, name }: CaseSubject): readonly Finding[] {
  if (kind !== "ledger") return findings;
  const isNamed = ({ subject }: Finding): number => (subject.name === name ? 0 : 1);
  return findings.toSorted((left, right) => isNamed(left) - isNamed(right));
}
