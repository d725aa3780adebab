/** The window of time that a case looks at. */

import { PlatformError } from "@faultline/protocol";

import type { Clock } from "#kernel/index.ts";

import { caseLimits } from "./limits.ts";

/** Closed at the start, open at the end. */
export interface CaseWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Reads a window; without `to` it ends now. */
export function readWindow(
  request: { readonly from: string; readonly to?: string },
  clock: Clock,
): CaseWindow {
  const fromMs = Date.parse(request.from);
  const toMs = request.to === undefined ? clock.nowMs() : Date.parse(request.to);
  if (!(fromMs < toMs)) {
    throw new PlatformError("request_invalid", "The window should start before it ends.", {
      where: "/from",
      hint: "Give `from` as a time in the past; `to` defaults to now.",
    });
  }
  if (fromMs > clock.nowMs() || fromMs < 0) {
    throw new PlatformError(
      "request_invalid",
      fromMs < 0
        ? "The window starts before 1970, where no telemetry is."
        : "The window lies wholly in the future, where no telemetry is yet.",
      { where: "/from", hint: "Give `from` as a time in the past; `to` defaults to now." },
    );
  }
  if (toMs - fromMs > caseLimits.windowMsMax) {
    const days = caseLimits.windowMsMax / 86_400_000;
    throw new PlatformError("request_invalid", `A case's window is at most ${days} days long.`, {
      where: "/from",
      hint: "Choose a window around the symptom.",
    });
  }
  return { fromMs, toMs };
}
