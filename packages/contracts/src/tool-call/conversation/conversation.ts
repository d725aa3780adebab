/** A conversation between a model and its tools, in the one shape that the contracts of this family read. */

import type {
  EvidenceId,
  EvidenceReference,
  ToolCall,
  ToolDefinition,
  ToolResult,
  TranscriptTurn,
} from "../../model/evidence.ts";

/** One turn, and where it was seen. */
export interface Turn extends TranscriptTurn {
  readonly evidenceId: EvidenceId;
}

/** A tool as it ran, seen apart from what the model asked for: a span, or a request to a tool server. */
export interface Execution {
  readonly tool: string;
  readonly callId?: string;
  /** Absent when the evidence does not have them. */
  readonly arguments?: unknown;
  readonly result?: ToolResult;
  readonly startMicros?: number;
  readonly reference: EvidenceReference;
}

/** A call with what became of it. */
export interface Exchange {
  readonly call: ToolCall;
  readonly tool: string;
  /** The arguments as a value; absent where they are none. */
  readonly given: unknown;
  /** The index of its turn in the conversation. */
  readonly turn: number;
  /** The tool as it was advertised for this turn, when known. */
  readonly definition: ToolDefinition | undefined;
  readonly result: ToolResult | undefined;
  /** The index of the turn that holds the result; the number of turns when there is none. */
  readonly resultTurn: number;
  readonly execution: Execution | undefined;
  readonly reference: EvidenceReference;
  /** When the call was made, in microseconds since 1970. */
  readonly timeMicros: number | undefined;
}

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly exchanges: readonly Exchange[];
  /** What ran without a call that asked for it. */
  readonly strays: readonly Execution[];
  /** Its beginning is in the evidence: nothing that the model read before the first call is missing. */
  readonly isWhole: boolean;
  /** When other work of the same trace changed something, in microseconds since 1970; in order. */
  readonly changeMicros: readonly number[];
}
