/** A call of a tool, wherever it was seen. */

import type { EvidenceId, ToolDefinition } from "../model/evidence.ts";

export interface ToolUse {
  readonly tool: string;
  /** As the model emitted them: text that should be JSON, or a value. */
  readonly arguments: unknown;
  /** The tools that were advertised when the call was made; absent when the evidence does not say. */
  readonly advertised: readonly ToolDefinition[] | undefined;
  /** More tools were advertised than are in `advertised`. */
  readonly areToolsPartial: boolean;
  /** Names that were advertised at some other time in the same evidence. */
  readonly advertisedElsewhere: ReadonlySet<string>;
  readonly evidenceId: EvidenceId;
  /** Where the call stands in the evidence: a JSON pointer or a span id. */
  readonly locator: string;
}
