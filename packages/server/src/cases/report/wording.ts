/** How verdicts, states and plain sentences look in a report. */

import type { Finding } from "@faultline/contracts";
import type { Hypothesis, Verification } from "@faultline/protocol";

import { unreachable } from "#kernel/index.ts";

import type { Block, Tone } from "./document.ts";

/** A paragraph. */
export function paragraph(text: string): Block {
  return { kind: "paragraph", text };
}

/** The tone of a contract's verdict. */
export function toneOfVerdict(verdict: Finding["verdict"]): Tone {
  return verdict === "violated" ? "bad" : verdict === "holds" ? "good" : "open";
}

/** The tone of a hypothesis' status. */
export function toneOfStatus(status: Hypothesis["status"]): Tone {
  switch (status) {
    case "proved":
      return "good";
    case "supported":
      return "bad";
    case "proposed":
      return "open";
    case "refuted":
      return "plain";
    default:
      return unreachable(status);
  }
}

/** The tone of a verification's outcome. */
export function toneOfOutcome(outcome: Verification["outcome"]): Tone {
  return outcome === "proved" ? "good" : outcome === "not-repaired" ? "bad" : "open";
}

/** A time as people read it, to the second: `2026-01-31 09:30:00 UTC`. */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** A window of time. */
export function period(from: string, to: string): string {
  const isOneDay = from.slice(0, 10) === to.slice(0, 10);
  return isOneDay
    ? `${from.slice(0, 10)} ${from.slice(11, 19)} to ${to.slice(11, 19)} UTC`
    : `${moment(from)} to ${moment(to)}`;
}

/** A verification's outcome as a sentence begins. */
export const outcomeWords: Readonly<Record<Verification["outcome"], string>> = {
  proved: "Proved",
  "not-repaired": "Not repaired",
  inconclusive: "Inconclusive",
};
