/** What the URL carries: the filters of each page. Anything unknown or malformed is dropped. */

import type { CaseStatus, TraceStatus } from "@faultline/protocol";

export const traceWindows = ["15m", "1h", "6h", "24h", "7d"] as const;
export type TraceWindow = (typeof traceWindows)[number];

/** Minutes of each window that a list can be narrowed to. */
export const windowMinutes: Readonly<Record<TraceWindow, number>> = {
  "15m": 15,
  "1h": 60,
  "6h": 360,
  "24h": 1_440,
  "7d": 10_080,
};

export interface OverviewSearch {
  window?: TraceWindow;
}

/** `since` counts back from now; `from` and `to` are fixed. Without any, the list reaches back as far as the store. */
export interface TraceFilters {
  service?: string;
  operation?: string;
  since?: TraceWindow;
  from?: string;
  to?: string;
  minDurationMs?: number;
  status?: TraceStatus;
}

export interface TraceSearch {
  span?: string;
}

export interface CasesSearch {
  status?: CaseStatus;
}

type Raw = Record<string, unknown>;

export function readOverviewSearch(raw: Raw): OverviewSearch {
  return present({ window: oneOf(traceWindows, raw["window"]) });
}

export function readTraceFilters(raw: Raw): TraceFilters {
  return present({
    service: text(raw["service"]),
    operation: text(raw["operation"]),
    since: oneOf(traceWindows, raw["since"]),
    from: time(raw["from"]),
    to: time(raw["to"]),
    minDurationMs: amount(raw["minDurationMs"]),
    status: oneOf(["ok", "error"] as const, raw["status"]),
  });
}

export function readTraceSearch(raw: Raw): TraceSearch {
  return present({ span: text(raw["span"]) });
}

export function readCasesSearch(raw: Raw): CasesSearch {
  return present({ status: oneOf(["open", "proved", "closed"] as const, raw["status"]) });
}

export function readOpenCaseSearch(raw: Raw): { service?: string; operation?: string } {
  return present({ service: text(raw["service"]), operation: text(raw["operation"]) });
}

/** A page to return to after signing in: a path of this console, never another site. */
export function readSignInSearch(raw: Raw): { redirect?: string } {
  const redirect = text(raw["redirect"]);
  return present({ redirect: redirect?.match(/^\/(?![/\\])/) === null ? undefined : redirect });
}

/** How many of the filters narrow the list. */
export function countFilters(filters: TraceFilters): number {
  return Object.values(filters).filter((value) => value !== undefined).length;
}

/** A value as text; nothing where it is empty or none. */
export function text(value: unknown): string | undefined {
  // A search parameter that looks like a number or a boolean is parsed as one.
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function amount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function time(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** The option that a value is. */
export function oneOf<const Options extends readonly string[]>(
  options: Options,
  value: unknown,
): Options[number] | undefined {
  return options.find((option) => option === value);
}

/** Drops the keys whose value is missing, so that they do not stand in the URL. */
export function present<Value extends object>(
  value: Value,
): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  // Only keys with a value are kept, which is what the type says.
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [Key in keyof Value]?: Exclude<Value[Key], undefined>;
  };
}
