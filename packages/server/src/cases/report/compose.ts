/** Composes the report of a case: from the symptom to what must be watched afterwards. Pure. */

import { type Finding, plural } from "@faultline/contracts";
import type { CaseDetail, Hypothesis } from "@faultline/protocol";

import {
  causeSection,
  fixSection,
  gateSection,
  monitorSection,
  preventionSection,
} from "./cause-sections.ts";
import type { ReportDocument, Section } from "./document.ts";
import { proofSection } from "./proof-section.ts";
import { moment, paragraph, period, toneOfStatus, toneOfVerdict } from "./wording.ts";

/** The report of a case. */
export function composeReport(detail: CaseDetail): ReportDocument {
  const { summary } = detail;
  const leading = detail.hypotheses.find(({ rank }) => rank === 1);
  return {
    title: `Case ${summary.number}: ${summary.symptom}`,
    subtitle: `${subjectOf(detail)}, ${period(detail.from, detail.to)}; opened ${moment(summary.openedAt)}`,
    verdict: verdictOf(detail, leading),
    sections: [
      symptomSection(detail),
      mitigationSection(detail),
      evidenceSection(detail),
      hypothesesSection(detail),
      causeSection(detail, leading),
      proofSection(detail),
      fixSection(leading),
      gateSection(detail, leading),
      preventionSection(leading),
      monitorSection(detail, leading),
      eventSection(detail),
    ],
  };
}

function subjectOf({ summary }: CaseDetail): string {
  const { kind, name, operation } = summary.subject;
  return `${kind} ${name}${operation === undefined ? "" : `, operation ${operation}`}`;
}

function verdictOf(detail: CaseDetail, leading: Hypothesis | undefined): ReportDocument["verdict"] {
  if (leading?.status === "proved") {
    return { tone: "good", text: `Proved: ${leading.statement}` };
  }
  const closed = detail.summary.status === "closed" ? "Closed without a proof. " : "";
  if (leading?.status === "supported") {
    return { tone: "bad", text: `${closed}Supported, not proved: ${leading.statement}` };
  }
  return {
    tone: "open",
    text: `${closed}${leading?.statement ?? "No hypothesis stands."}`,
  };
}

function symptomSection(detail: CaseDetail): Section {
  return {
    title: "Symptom",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Symptom", detail.summary.symptom],
          ["Subject", subjectOf(detail)],
          ["Window", period(detail.from, detail.to)],
          ["Expected", detail.expected ?? "not stated"],
          ["Actual", detail.actual ?? "not stated"],
        ],
      },
    ],
  };
}

function mitigationSection({ mitigations }: CaseDetail): Section {
  return {
    title: "Mitigation",
    blocks: [
      mitigations.length === 0 ? paragraph("None is noted.") : { kind: "list", items: mitigations },
      paragraph("A mitigation acts on the symptom; it neither proves nor refutes a cause."),
    ],
  };
}

function evidenceSection(detail: CaseDetail): Section {
  const count = (verdict: Finding["verdict"]): string =>
    String(detail.findings.filter((finding) => finding.verdict === verdict).length);
  return {
    title: "Evidence",
    blocks: [
      {
        kind: "table",
        columns: ["Snapshot", "Taken", "Window", "Traces kept of seen", "Id"],
        rows: detail.snapshots.map((snapshot) => [
          snapshot.role,
          moment(snapshot.takenAt),
          period(snapshot.from, snapshot.to),
          `${snapshot.traceCountKept} of ${snapshot.traceCountSeen}`,
          `${snapshot.id.slice(0, 19)}…`,
        ]),
      },
      {
        kind: "table",
        columns: ["Contract", "Verdict", "Subject", "Finding"],
        rows: detail.findings.map((finding) => [
          finding.contract,
          finding.verdict,
          `${finding.subject.kind} ${finding.subject.name}`,
          finding.title,
        ]),
        tones: detail.findings.map(({ verdict }) => toneOfVerdict(verdict)),
      },
      paragraph(
        `${count("violated")} violated, ${count("holds")} held, ${count("inconclusive")} inconclusive. Each verdict can be replayed from the snapshot: faultline check --contract ID FILE.`,
      ),
    ],
  };
}

function hypothesesSection({ hypotheses }: CaseDetail): Section {
  return {
    title: "Hypotheses",
    blocks: [
      {
        kind: "table",
        columns: ["Rank", "Status", "Hypothesis", "For", "Against", "Next check"],
        rows: hypotheses.map((item) => [
          String(item.rank),
          item.status,
          item.statement,
          plural(item.evidenceFor.length, "reference"),
          plural(item.evidenceAgainst.length, "reference"),
          item.nextCheck,
        ]),
        tones: hypotheses.map(({ status }) => toneOfStatus(status)),
      },
    ],
  };
}

function eventSection({ events }: CaseDetail): Section {
  return {
    title: "Events",
    blocks: [
      {
        kind: "table",
        columns: ["#", "At", "By", "What happened"],
        rows: events.map((event) => [
          String(event.sequence),
          moment(event.at),
          event.actor,
          event.summary,
        ]),
      },
    ],
  };
}
