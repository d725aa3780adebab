/** A unit of work: what one service does for one request, message or tool call. */

import type { Span } from "../model/span.ts";
import type { Call } from "./call.ts";
import type { ResolverPath } from "./resolver-path.ts";
import type { Trace } from "./trace.ts";

/** A span that belongs to a unit, with what was recognised in it. */
export interface UnitCall {
  readonly trace: Trace;
  /** The span's index in its trace. */
  readonly index: number;
  readonly span: Span;
  readonly call: Call;
  /** The resolver that made the call, when one did. */
  readonly resolver: ResolverPath | undefined;
  /** GraphQL operation above the call. */
  readonly operation: string | undefined;
  /** Equal for calls of one identity that the same functions below the unit's entry make: one place in the code. */
  readonly place: string;
  /** The parent is named but not in the trace, and no other span says who made the call. */
  readonly isOrphan: boolean;
}

/** The work of one entry span. */
export interface Unit {
  readonly trace: Trace;
  readonly service: string;
  /** What the unit does: `GET /orders`, `execute_tool search`, a function's name. */
  readonly operation: string;
  /** The span that the work begins with; absent when it is not in the trace. */
  entry: Span | undefined;
  /** The index of the first span that was filed here: of the entry, where there is one. */
  readonly entryIndex: number;
  /** In order of their start. */
  readonly calls: UnitCall[];
  /** Resolver spans by `operation` and pattern: the distinct recorded paths of each. Most units have none. */
  resolvers: Map<string, ResolverSpans> | undefined;
}

export interface ResolverSpans {
  readonly operation: string | undefined;
  readonly pattern: string;
  readonly paths: Set<string>;
  /** The index of the first span of this resolver. */
  readonly firstIndex: number;
  readonly hasIndices: boolean;
}
