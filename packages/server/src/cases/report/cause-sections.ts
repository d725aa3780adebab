/** The parts of a report that rest on the leading hypothesis: cause, fix, gate, prevention, monitors. */

import { type EvidenceReference, plural } from "@faultline/contracts";
import type { CaseDetail, Hypothesis } from "@faultline/protocol";

import type { Block, Section } from "./document.ts";
import { changeUnknown } from "../write-hypotheses.ts";
import { paragraph, toneOfStatus } from "./wording.ts";

/** References listed in the report; the snapshot has the rest. */
const referencesShownMax = 8;

/** The root cause, or what is missing to know it. */
export function causeSection(detail: CaseDetail, leading: Hypothesis | undefined): Section {
  if (leading === undefined || leading.causeKind === "none") {
    return {
      title: "Root cause",
      blocks: [{ kind: "verdict", tone: "open", text: "Unknown." }, ...missingBlocks(leading)],
    };
  }
  const finding = detail.findings.find(
    (item) =>
      item.verdict === "violated" &&
      item.contract === leading.contract &&
      item.subject.name === leading.subject.name,
  );
  const statement = finding?.measures["statement"];
  return {
    title: "Root cause",
    blocks: [
      {
        kind: "verdict",
        tone: toneOfStatus(leading.status),
        text: `${leading.status === "proved" ? "Proved" : "Not proved yet"}: ${leading.statement}`,
      },
      {
        kind: "facts",
        rows: [
          ["Kind of cause", causeKindWords(leading)],
          ["Boundary", leading.boundary],
          ["Contract", leading.contract],
          ["Subject", `${leading.subject.kind} ${leading.subject.name}`],
          ...(finding === undefined
            ? []
            : ([
                ["Expected", finding.expected],
                ["Actual", finding.actual],
              ] as const)),
        ],
      },
      ...(typeof statement === "string" ? [{ kind: "code", text: statement } as const] : []),
      ...referenceBlocks("Evidence for", leading.evidenceFor),
      ...referenceBlocks("Evidence against", leading.evidenceAgainst),
      ...missingBlocks(leading),
    ],
  };
}

/** A contract knows which kind of cause it points at, but not which cause of that kind it was. */
function causeKindWords({ causeKind, missing }: Hypothesis): string {
  return missing.includes(changeUnknown)
    ? `${causeKind} (the kind that this contract points at; no change event is in the evidence)`
    : causeKind;
}

/** Candidate fixes. */
export function fixSection(leading: Hypothesis | undefined): Section {
  const fixes = leading?.fixes ?? [];
  return {
    title: "Fix",
    blocks:
      fixes.length === 0
        ? [paragraph("No candidate fix is known.")]
        : [
            {
              kind: "table",
              columns: ["Candidate", "Cost", "Verified by running the check again"],
              rows: fixes.map((fix) => [
                fix.description,
                fix.cost === undefined ? "unknown" : String(fix.cost),
                fix.verified ? "yes" : "no",
              ]),
            },
          ],
  };
}

/** What a fix must show before it counts. Conditions that only a person can judge are left to one, in words. */
export function gateSection(detail: CaseDetail, leading: Hypothesis | undefined): Section {
  const proof = detail.verifications.find(({ outcome }) => outcome === "proved");
  const yes = (met: boolean): string => (met ? "yes" : "not shown");
  const rows: [string, string][] = [
    ["Explains the observed failure", explains(leading)],
    ["Regression check fails before and holds after", yes(proof !== undefined)],
    [
      "Keeps the contract: requests still succeed and their calls are answered",
      yes(proof !== undefined),
    ],
    [
      "Widens no permission, swallows no error, drops no validation",
      "for the reviewer of the change",
    ],
  ];
  return {
    title: "Fix gate",
    blocks: [
      {
        kind: "table",
        columns: ["Condition", "Shown"],
        rows,
        tones: rows.map(([, shown]) => (shown === "yes" ? "good" : "open")),
      },
    ],
  };
}

function explains(leading: Hypothesis | undefined): string {
  if (leading === undefined || leading.status === "proposed") return "not shown";
  const against = leading.evidenceAgainst.length;
  return against === 0 ? "yes" : `in part: ${plural(against, "slow or failed trace")} lack it`;
}

/** What keeps the fault from coming back unseen. */
export function preventionSection(leading: Hypothesis | undefined): Section {
  if (leading === undefined || leading.status === "proposed") {
    return { title: "Prevention", blocks: [paragraph("Open until a cause is supported.")] };
  }
  return {
    title: "Prevention",
    blocks: [
      {
        kind: "list",
        items: [
          leading.boundary === "tenant-compute"
            ? "Run faultline ledger export | faultline check - on a schedule, beside the ledger's own reconciliation: exit code 1 is a difference."
            : `Record a trace of ${leading.subject.name} in the tests of the service and run faultline check --contract ${leading.contract} on it: exit code 1 fails the build.`,
          "Keep the snapshot from before the repair as the case that this check must find.",
        ],
      },
    ],
  };
}

/** What to watch. */
export function monitorSection(detail: CaseDetail, leading: Hypothesis | undefined): Section {
  if (leading === undefined || leading.status === "proposed") {
    return { title: "Monitors", blocks: [paragraph("Open until a cause is supported.")] };
  }
  return {
    title: "Monitors",
    blocks: [
      {
        kind: "list",
        items: [
          `Violations of ${leading.contract} on ${leading.subject.name}: any is a return of this fault.`,
          leading.boundary === "tenant-compute"
            ? "The differences that reconciliation counts, by kind (docs/ledger.md)."
            : `Calls per request at the boundary ${leading.boundary} of ${detail.summary.subject.name}, against the length of the list.`,
        ],
      },
    ],
  };
}

function referenceBlocks(title: string, references: readonly EvidenceReference[]): Block[] {
  if (references.length === 0) return [paragraph(`${title}: none.`)];
  const shown = references.slice(0, referencesShownMax);
  const rest = references.length - shown.length;
  return [
    paragraph(`${title}:`),
    {
      kind: "table",
      columns: ["Quote", "Span", "Evidence"],
      rows: shown.map((item) => [
        item.quote ?? "",
        item.locator ?? "",
        item.evidenceId.slice(0, 19),
      ]),
    },
    ...(rest === 0 ? [] : [paragraph(`${rest} more are in the snapshot.`)]),
  ];
}

function missingBlocks(leading: Hypothesis | undefined): Block[] {
  const missing = leading?.missing ?? [];
  if (missing.length === 0) return [];
  return [paragraph("What is missing:"), { kind: "list", items: missing }];
}
