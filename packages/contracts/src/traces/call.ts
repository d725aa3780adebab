/** A call: what a span asks of a database or another service, reduced to its shape. */

import type { Attributes } from "../model/span.ts";

export type CallKind = "database" | "http" | "rpc";

/** How many things a call asks for. */
export interface Batch {
  readonly isBatch: boolean;
  readonly size?: number;
  /** It takes a list, and the record hides how long it is. */
  readonly isHidden?: boolean;
}

export interface Call {
  readonly kind: CallKind;
  /** Equal for calls of one shape: system and fingerprint, or method, host and path template. */
  readonly identity: string;
  /** The shape in the words of a person: the statement, or `GET host/path/{id}`. */
  readonly shape: string;
  /** The call with its values where the trace has them; tells repeats of one call from calls for many things. */
  readonly target: string;
  /** The machine it goes to, when recorded. */
  readonly peer: string;
  /** Whether the call only reads, as far as method, verb or name tell. */
  readonly isRead: boolean;
  /** Asks for one thing by its key. */
  readonly isKeyed: boolean;
  readonly batch: Batch;
  /** Reads one page of a longer result. */
  readonly isPaged: boolean;
  /** The recorded statement is cut, so that two of one shape may differ. */
  readonly truncated: boolean;
  /** The database's system, lower-cased; `http` or the RPC system otherwise. */
  readonly system: string;
  /** An attempt that says of itself that it repeats an earlier one. */
  readonly isResend: boolean;
  /** Rows that came back, when recorded. */
  readonly rowCount?: number | undefined;
}

/** The first of these attributes that holds text. */
export function textOf(attributes: Attributes, ...names: readonly string[]): string | undefined {
  return textIn(attributes, names);
}

/** As `textOf`, for lists of names that are asked for in every span: nothing is made of them. */
export function textIn(attributes: Attributes, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = attributes[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

/** The first of these attributes that holds a number, or digits as some instrumentations write them. */
export function numberOf(attributes: Attributes, ...names: readonly string[]): number | undefined {
  return numberIn(attributes, names);
}

/** As `numberOf`, for lists of names that are asked for in every span. */
export function numberIn(attributes: Attributes, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = attributes[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value === "string" && /^\d{1,15}$/.test(value)) return Number(value);
  }
  return undefined;
}

/** `BatchGetItem`, `mget`, `/users/bulk`: names that promise many at once. */
export function isBatchName(name: string): boolean {
  return /batch|bulk|(?:^|[/_ ])m(?:get|search|set)|multi|many/i.test(name);
}

/** Whether the name of a method or an operation promises to change nothing. */
export function isReadName(name: string): boolean {
  if (/^(?:GET|HEAD|QUERY) /.test(name)) return true;
  const method = name.slice(name.lastIndexOf("/") + 1).replace(/^.*\./, "");
  return /^(?:get|list|find|fetch|lookup|load|read|query|resolve|search|describe|check|count)/i.test(
    method,
  );
}
