/** A unit of work: what one service does for one request, message or tool call. */

import type { EvidenceId } from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import type { Call } from "./call.ts";
import type { ResolverPath } from "./resolver-path.ts";

/** A span that belongs to a unit, with what was recognised in it. */
export interface UnitCall {
  readonly span: Span;
  readonly evidenceId: EvidenceId;
  readonly call: Call;
  /** The resolver that made the call, when one did. */
  readonly resolver: ResolverPath | undefined;
  /** GraphQL operation above the call. */
  readonly operation: string | undefined;
  /** The functions between the unit's entry and the call, by the names of their spans. */
  readonly trail: string;
  /** The parent is named but not in the trace, and no other span says who made the call. */
  readonly isOrphan: boolean;
}

/** The work of one entry span. */
export interface Unit {
  readonly traceId: string;
  readonly service: string;
  /** What the unit does: `GET /orders`, `execute_tool search`, a function's name. */
  readonly operation: string;
  /** The span that the work begins with; absent when it is not in the trace. */
  entry: Span | undefined;
  readonly calls: UnitCall[];
  /** Resolver spans by `operation` and pattern: the distinct recorded paths of each. */
  readonly resolvers: Map<string, ResolverSpans>;
}

export interface ResolverSpans {
  readonly operation: string | undefined;
  readonly pattern: string;
  readonly paths: Set<string>;
  readonly first: { readonly span: Span; readonly evidenceId: EvidenceId };
  readonly hasIndices: boolean;
}
