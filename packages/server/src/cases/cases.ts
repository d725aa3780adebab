/** Cases: from a symptom to a proof. */

import {
  checkSnapshot,
  type Contract,
  contracts as shippedContracts,
  decodeSnapshotFile,
  type Finding,
  requestsSucceed,
  type Snapshot,
} from "@faultline/contracts";
import {
  type CaseDetail,
  type CaseList,
  type CaseQuery,
  type OpenCaseRequest,
  PlatformError,
  type Verification,
  type VerifyCaseRequest,
} from "@faultline/protocol";

import { assert, type Clock, type Ids } from "#kernel/index.ts";
import type { Blobs, Store, TenantScope } from "#storage/index.ts";

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
import {
  type FrozenSnapshot,
  freezeSnapshot,
  type TraceSource,
  type Window,
} from "./freeze-snapshot.ts";
import { judgeRepair } from "./judge-repair.ts";
import { caseLimits } from "./limits.ts";
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
import { writeHypotheses } from "./write-hypotheses.ts";

export interface CasesOptions {
  readonly store: Store;
  readonly telemetry: TraceSource;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Every contract that a case runs, in the design's order, the control among them. */
const caseContracts: readonly Contract[] = shippedContracts.some(
  ({ id }) => id === requestsSucceed.id,
)
  ? shippedContracts
  : [...shippedContracts, requestsSucceed];

/** Whose case it is, and in whose name a step is taken. */
export interface ActorScope extends TenantScope {
  readonly actor: string;
}

export class Cases {
  readonly #options: CasesOptions;

  private constructor(options: CasesOptions) {
    this.#options = options;
  }

  static open(options: CasesOptions): Cases {
    return new Cases(options);
  }

  /** Freezes the evidence of the window, runs the contracts on it and writes hypotheses. */
  async openCase(scope: ActorScope, request: OpenCaseRequest): Promise<CaseDetail> {
    const window = this.#window(request);
    const at = this.#now();
    const frozen = await this.#freeze(
      scope,
      { subject: request.subject, window, role: "before" },
      at,
    );
    const findings = checkSnapshot(frozen.snapshot, caseContracts);
    const hypotheses = writeHypotheses(frozen.snapshot, findings, caseContracts).map((draft) => ({
      id: this.#options.ids.next(),
      ...draft,
    }));
    return await this.#options.store.transact(scope, async (writer) => {
      const opened: CaseFact = {
        kind: "case-opened",
        id: this.#options.ids.next(),
        number: await takeNumber(writer, scope.tenantId),
        symptom: request.symptom,
        subject: request.subject,
        from: frozen.facts.from,
        to: frozen.facts.to,
        ...(request.expected === undefined ? {} : { expected: request.expected }),
        ...(request.actual === undefined ? {} : { actual: request.actual }),
      };
      const facts: CaseFact[] = [
        opened,
        { kind: "snapshot-frozen", snapshot: frozen.facts },
        {
          kind: "contracts-checked",
          findings: keepFindings(findings),
          findingCount: findings.length,
        },
        { kind: "hypotheses-written", hypotheses },
      ];
      const state = await appendFacts(writer, scope.tenantId, {
        state: undefined,
        facts,
        at,
        actor: scope.actor,
      });
      return toCaseDetail(state, await readHistory(writer, state.id));
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
    const window = this.#window(request);
    const at = this.#now();
    const state = await this.#options.store.read(scope, (reader) => readCase(reader, reference));
    const hypothesis = requireVerifiable(state);
    const before = await this.#snapshotOf(state, "before");
    const after = await this.#freeze(scope, { subject: state.subject, window, role: "after" }, at);
    const contract = caseContracts.find(({ id }) => id === hypothesis.contract);
    assert(contract !== undefined, "a hypothesis names a contract that a case runs");
    const judgement = judgeRepair({
      hypothesis,
      before: before.snapshot,
      after: after.snapshot,
      contract,
      control: requestsSucceed,
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
  }

  /** Notes what was done against the symptom, apart from its cause. */
  async addMitigation(
    scope: ActorScope,
    reference: CaseReference,
    text: string,
  ): Promise<CaseDetail> {
    const decide = (state: CaseState): CaseFact[] => noteMitigation(state, text);
    return await this.#step(scope, reference, { at: this.#now(), decide });
  }

  /** Closes a case; it accepts nothing afterwards. */
  async close(scope: ActorScope, reference: CaseReference, reason: string): Promise<CaseDetail> {
    const decide = (state: CaseState): CaseFact[] => closeCase(state, reason);
    return await this.#step(scope, reference, { at: this.#now(), decide });
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
    request: Pick<Parameters<typeof freezeSnapshot>[1], "subject" | "window" | "role">,
    takenAt: string,
  ): Promise<FrozenSnapshot> {
    const { telemetry: source, blobs } = this.#options;
    return await freezeSnapshot({ source, blobs, scope }, { ...request, takenAt });
  }

  async #snapshotOf(state: CaseState, role: "before"): Promise<{ id: string; snapshot: Snapshot }> {
    const facts = state.snapshots.find((snapshot) => snapshot.role === role);
    assert(facts !== undefined, "an opened case has a snapshot from before the repair");
    const bytes = await this.#options.blobs.get(facts.id);
    if (bytes === undefined) {
      throw new PlatformError(
        "snapshot_corrupt",
        `The snapshot ${facts.id} of case ${state.number} is gone.`,
        {
          hint: "Restore the blobs from a backup.",
        },
      );
    }
    return { id: facts.id, snapshot: decodeSnapshotFile(bytes) };
  }

  #window(request: { readonly from: string; readonly to?: string }): Window {
    const fromMs = Date.parse(request.from);
    const toMs = request.to === undefined ? this.#options.clock.nowMs() : Date.parse(request.to);
    if (!(fromMs < toMs)) {
      throw new PlatformError("request_invalid", "The window should start before it ends.", {
        where: "/from",
        hint: "Give `from` as a time in the past; `to` defaults to now.",
      });
    }
    if (toMs - fromMs > caseLimits.windowMsMax) {
      throw new PlatformError("limit_exceeded", "A case's window is at most 7 days long.", {
        where: "/from",
        hint: "Choose a window around the symptom.",
      });
    }
    return { fromMs, toMs };
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

/** What is kept of the findings in the case itself; the snapshot gives them all again. */
function keepFindings(findings: readonly Finding[]): Finding[] {
  const order = ["violated", "inconclusive", "holds"];
  const kept = new Set(
    [...findings]
      .sort((left, right) => order.indexOf(left.verdict) - order.indexOf(right.verdict))
      .slice(0, caseLimits.findingCountMax),
  );
  return findings
    .filter((finding) => kept.has(finding))
    .map((finding) => ({
      ...finding,
      evidence: finding.evidence.slice(0, caseLimits.findingReferenceCountMax),
    }));
}
