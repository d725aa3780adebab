/** Finds the spans of a trace that may have failed, cheaply, so that the rest costs nothing. */

import type { Attributes } from "../model/span.ts";
import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";
import { type Outcome, outcomeOf, succeeded } from "./outcome.ts";

/** Spans of a trace that deserve a look, by index, in order. */
export interface Suspects {
  /** They may have failed, or say something about attempts. */
  readonly failed: readonly number[];
  /** They have events, or may have failed. */
  readonly eventful: readonly number[];
}

/** The suspects of a trace, found in one pass for all contracts. */
export function suspectsOf(trace: Trace): Suspects {
  const known = suspectsByTrace.get(trace);
  if (known !== undefined) return known;
  const failed: number[] = [];
  const eventful: number[] = [];
  for (let index = 0; index < trace.spans.length; index += 1) {
    const mayBeFailed = mayHaveFailed(trace, index);
    if (mayBeFailed) failed.push(index);
    if (mayBeFailed || trace.span(index).events.length > 0) eventful.push(index);
  }
  const suspects = { failed, eventful };
  suspectsByTrace.set(trace, suspects);
  return suspects;
}

/** A memory and no state: a trace always has the same suspects. */
const suspectsByTrace = new WeakMap<Trace, Suspects>();

/** A look at what `outcomeOf` decides that misses no failure, and at what declares a further attempt. */
export function mayHaveFailed(trace: Trace, index: number): boolean {
  const { status, attributes } = trace.span(index);
  if (status.code === "error") return true;
  const marks = trace.marksOf(index);
  if ((marks & (mark.failure | mark.attempt)) !== 0) return true;
  if ((marks & mark.http) !== 0 && hasHttpFailure(attributes)) return true;
  return (marks & mark.rpc) !== 0 && hasGrpcFailure(attributes);
}

/** How a span's call ended; most succeeded, which takes no reading. */
export function outcomeAt(trace: Trace, index: number): Outcome {
  return mayHaveFailed(trace, index) ? outcomeOf(trace.span(index)) : succeeded;
}

function hasHttpFailure(attributes: Attributes): boolean {
  const code =
    attributes["http.response.status_code"] ??
    attributes["http.status_code"] ??
    attributes["http.status"] ??
    attributes["response.status_code"];
  return code !== undefined && !(Number(code) < 400);
}

const grpcNames = [
  "rpc.grpc.status_code",
  "rpc.response.status_code",
  "rpc.connect_rpc.error_code",
  "grpc.status_code",
  "grpc.status",
  "grpc.code",
] as const;

function hasGrpcFailure(attributes: Attributes): boolean {
  for (const name of grpcNames) {
    const code = attributes[name];
    if (code !== undefined && code !== 0 && code !== "0" && code !== "OK") return true;
  }
  return false;
}
